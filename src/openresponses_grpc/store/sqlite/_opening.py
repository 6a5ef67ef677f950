"""Opens, creates and validates the store's file."""

from __future__ import annotations

import os
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final, Literal

from .._errors import OpenStoreError
from ._disk import Disk
from ._file import File, explain, read_only
from ._identity import Identity
from ._loading import load

Synchronous = Literal["NORMAL", "FULL"]

_APPLICATION_ID: Final = 0x4F525350  # "ORSP"
_SCHEMA_VERSION: Final = 3

# A batch is a piece of an append: its data is the StoredEvents message, its checksums are those of the stream before
# and after the events, and its bytes are those of all events of the stream up to its end, so that the last batch
# describes the whole stream. Batches without a stream belong to dropped streams. The clock has the seconds to add to
# the machine's clocks to get the times in the file.
_SCHEMA: Final = f"""
BEGIN;
CREATE TABLE streams (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    owner INTEGER NOT NULL,
    drawn INTEGER NOT NULL,
    created_at REAL NOT NULL,
    finished_at REAL,
    failure_reason TEXT,
    failure_message TEXT
);
CREATE TABLE batches (
    number INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    first_offset INTEGER NOT NULL,
    next_offset INTEGER NOT NULL,
    checksum_before INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    appended_at REAL NOT NULL,
    data BLOB NOT NULL,
    UNIQUE (stream, first_offset)
);
CREATE TABLE clock (
    number INTEGER PRIMARY KEY CHECK (number = 1),
    boot TEXT NOT NULL,
    steady REAL NOT NULL,
    wall REAL NOT NULL
);
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {_SCHEMA_VERSION};
COMMIT;
"""


def open_file(path: Path, synchronous: Synchronous) -> File:
    """Opens or creates the file, exclusively for this process; raises OpenStoreError."""
    path = path.resolve()
    if not path.parent.is_dir():
        raise OpenStoreError(f"the directory {path.parent} does not exist: create it, or use another file")
    for needed in (path, _lock_path(path)):
        # SQLite would open a read-only file without an error, and leave other read-only files behind.
        if needed.exists() and not os.access(needed, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
            raise OpenStoreError(read_only(path))
    with ExitStack() as opened:
        opened.enter_context(closing(_lock(path)))
        identity = opened.enter_context(closing(Identity(path)))
        try:
            writer = opened.enter_context(closing(_connect(path)))
            _check_and_prepare(path, writer, synchronous)
            reader = opened.enter_context(closing(_connect(path)))
            reader.execute("PRAGMA query_only = ON")
            reader.text_factory = bytes  # only damaged rows contain text
            loaded = load(path, writer)
            disk = Disk(path, identity.descriptor, writer)
        except sqlite3.Error as error:
            raise OpenStoreError(explain(path, error)) from error
        except OSError as error:
            raise OpenStoreError(f"{path} cannot be used: {error.strerror}") from error
        identity.note_companions()
        return File(path, writer, reader, identity, disk, loaded, opened.pop_all())


def _connect(path: Path, *, timeout: float = 5.0) -> sqlite3.Connection:
    """Opens a connection for use by one thread at a time, with explicit transactions."""
    return sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)


def _lock_path(path: Path) -> Path:
    return path.with_name(f"{path.name}-lock")


def _lock(path: Path) -> sqlite3.Connection:
    """Locks the lock file until the connection is closed or the process ends. SQLite's locks work on every system."""
    lock = _connect(_lock_path(path), timeout=0)
    try:
        lock.execute("PRAGMA journal_mode = MEMORY")  # no journal file, because nothing is committed
        lock.execute("BEGIN EXCLUSIVE")
        lock.execute("PRAGMA user_version = 1")  # fails if the file is read-only, which BEGIN does not
    except sqlite3.Error as error:
        lock.close()
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise OpenStoreError(f"{path} is open in another server: stop that server, or use another file") from error
        raise OpenStoreError(explain(path, error)) from error
    return lock


def _check_and_prepare(path: Path, writer: sqlite3.Connection, synchronous: Synchronous) -> None:
    application_id, version, tables = writer.execute(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)"
        " FROM pragma_application_id, pragma_user_version"
    ).fetchone()
    if application_id != _APPLICATION_ID and (application_id or tables):
        raise OpenStoreError(f"{path} is the database of another program: use another file")
    if tables and version != _SCHEMA_VERSION:
        raise OpenStoreError(
            f"{path} was written by another version of openresponses-grpc (schema {version} instead of"
            f" {_SCHEMA_VERSION}): run that version, or use another file"
        )
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute(f"PRAGMA synchronous = {synchronous}")
    # By default, some builds overwrite deleted data with zeros, which writes all of it again.
    writer.execute("PRAGMA secure_delete = FAST")
    if not tables:
        writer.executescript(_SCHEMA)
    # This fails if the file is read-only, and takes no disk space.
    writer.execute("BEGIN IMMEDIATE")
    writer.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
    writer.execute("ROLLBACK")
