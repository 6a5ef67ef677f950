"""Reads and writes the store's file, in the threads of the store."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

from .._errors import StoreUnavailableError
from .._segment import Verified
from .._times import Offsets
from ._disk import Disk, DiskFullError
from ._identity import Identity
from ._loading import Loaded
from ._rows import DAMAGE, INSERT, Run, read_segment, result_code, to_rows

_logger = logging.getLogger(__package__)

_CHANGE_BYTES: Final = 256
"""The maximum bytes that a change takes in the file in addition to its events."""

_DROP_BYTES: Final = 16 << 10
"""The maximum bytes that dropping a stream takes in the log: a few pages."""

_PAGE_BYTES: Final = 4096
"""The bytes of a page; a check writes one page."""

_DELETED_ROWS: Final = 1000
"""The number of rows that are selected at once to delete a dropped stream."""

_DELETED_BYTES: Final = 1024
"""The cost of deleting a stream or a row in addition to its data, in bytes of data that take as long."""


class NewStream(NamedTuple):
    """A stream to be created."""

    key: int
    stream_id: str
    tenant: str
    epoch: int
    owner: int
    drawn: int
    created_at: float


class Finish(NamedTuple):
    """The end of a stream to be stored; without a failure, the stream is complete."""

    finished_at: float
    failure_reason: str | None
    failure_message: str | None
    key: int


@dataclass
class Changes:
    """The changes of one transaction.

    Attributes:
        event_bytes: the bytes of its events, overhead included.

    """

    event_bytes: int = 0
    dropped: list[int] = field(default_factory=list)
    created: list[NewStream] = field(default_factory=list)
    claimed: list[tuple[int, int, int]] = field(default_factory=list)  # owner, drawn, key
    runs: list[Run] = field(default_factory=list)
    finished: list[Finish] = field(default_factory=list)

    @property
    def size(self) -> int:
        """The maximum bytes by which the file grows; 0 if streams are only dropped."""
        changes = len(self.created) + len(self.claimed) + len(self.runs) + len(self.finished)
        return self.event_bytes * 9 // 8 + changes * _CHANGE_BYTES


class File:
    """An open file. One thread may write and delete while another one reads.

    Every method may raise `sqlite3.Error`, and those that write also StoreUnavailableError.

    Args:
        path: the path, for messages.
        writer: the writing connection.
        reader: the reading connection.
        identity: the identity of the file.
        disk: the disk space.
        loaded: the contents at opening.
        opened: closes the connections, and unlocks the file for other servers.

    Attributes:
        loaded: the contents at opening.
        new_keys: the keys for new streams.

    """

    def __init__(
        self,
        path: Path,
        writer: sqlite3.Connection,
        reader: sqlite3.Connection,
        identity: Identity,
        disk: Disk,
        loaded: Loaded,
        opened: ExitStack,
    ) -> None:
        self._path = path
        self._writer = writer
        self._reader = reader
        self._identity = identity
        self._opened = opened
        self._disk = disk
        self._dropped = loaded.dropped
        self._offsets: Offsets | None = None
        self.loaded = loaded
        self.new_keys = count(loaded.next_key)

    def close(self) -> None:
        """Closes the file, from any thread; no operation may be in progress."""
        self._opened.close()

    def unavailable(self, error: sqlite3.Error) -> StoreUnavailableError:
        """Returns the store's error for an error of SQLite."""
        full = result_code(error) == sqlite3.SQLITE_FULL
        return (DiskFullError if full else StoreUnavailableError)(explain(self._path, error))

    def maintain(self, offsets: Offsets) -> None:
        """Checks the identity of the file, keeps the reserve, and stores the clock offsets if they have changed."""
        self._identity.check()
        self._disk.keep_reserve()
        if offsets == self._offsets:
            return
        try:
            with self._transaction() as writer:
                writer.execute("REPLACE INTO clock (number, boot, steady, wall) VALUES (1, ?, ?, ?)", offsets)
        except sqlite3.DatabaseError as error:
            if result_code(error) not in DAMAGE:
                raise
            _logger.error("cannot store the clock offsets: %s", explain(self._path, error))
        self._offsets = offsets

    def write(self, changes: Changes) -> None:
        """Writes all changes in one transaction."""
        self._identity.check()
        size = changes.size
        may_grow = self._disk.admit(size) if size else True
        with self._transaction(may_grow=may_grow) as writer:
            # The batches are deleted later, a few at a time. Deleting allocates no page, which a full disk would lack.
            writer.executemany("DELETE FROM streams WHERE key = ?", ((key,) for key in changes.dropped))
            writer.executemany(
                "INSERT INTO streams (key, id, tenant, epoch, owner, drawn, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                changes.created,
            )
            writer.executemany("UPDATE streams SET owner = ?, drawn = ? WHERE key = ?", changes.claimed)
            writer.executemany(INSERT, (row for run in changes.runs for row in to_rows(run)))
            writer.executemany(
                "UPDATE streams SET finished_at = ?, failure_reason = ?, failure_message = ? WHERE key = ?",
                changes.finished,
            )
        self._dropped += changes.dropped

    def drop(self, keys: Sequence[int]) -> None:
        """Drops streams, a few at a time to fit into the log."""
        self._identity.check()
        step = max(1, self._disk.reserve // 4 // _DROP_BYTES)
        full: DiskFullError | None = None
        for start in range(0, len(keys), step):
            if self._disk.is_low():
                self._disk.checkpoint()
            try:
                self.write(Changes(dropped=list(keys[start : start + step])))
            except DiskFullError as error:
                full = error  # other streams may need no page, and free some
        if full:
            raise full

    def check(self) -> None:
        """Does a test write of one page, which changes nothing."""
        self._identity.check()
        self._disk.admit(_PAGE_BYTES)
        with self._transaction() as writer:
            (version,) = writer.execute("PRAGMA user_version").fetchone()
            writer.execute(f"PRAGMA user_version = {version}")

    def delete(self, size: int) -> bool:
        """Deletes about `size` bytes of the batches of dropped streams; returns whether more are left."""
        self._identity.check()
        if self._disk.is_low():
            self._disk.checkpoint()
            size = min(size, self._disk.reserve // 4)
        deleted = 0
        try:
            with self._transaction() as writer:
                while size > 0 and deleted < len(self._dropped):
                    bytes_deleted, all_of_it = _delete_some(writer, self._dropped[deleted], size)
                    size -= bytes_deleted
                    deleted += all_of_it
        except sqlite3.DatabaseError as error:
            if result_code(error) not in DAMAGE:
                raise
            del self._dropped[deleted]  # the next start tries again
            _logger.error("cannot delete an expired stream completely: %s", explain(self._path, error))
        else:
            del self._dropped[:deleted]
        return bool(self._dropped)

    def read(self, key: int, start: int, end: int, max_bytes: int) -> Verified:
        """Reads the events of a stream from an existing offset to an end offset: at least one, and up to `max_bytes`.

        Raises:
            DataLossError: the first event is damaged.

        """
        return read_segment(self._reader, key, start, end, max_bytes).read(start, max_bytes)

    def checksum_at(self, key: int, offset: int) -> int:
        """Returns the checksum of a stream's events before an existing offset; raises DataLossError."""
        return read_segment(self._reader, key, offset, offset + 1, 0).checksum_at(offset)

    @contextmanager
    def _transaction(self, *, may_grow: bool = True) -> Iterator[sqlite3.Connection]:
        with self._writer as writer:
            writer.execute("BEGIN IMMEDIATE")
            before = self._disk.pages()
            yield writer
            self._disk.allocate(before, may_grow=may_grow)


def _delete_some(writer: sqlite3.Connection, key: int, size: int) -> tuple[int, bool]:
    """Deletes about `size` bytes of a dropped stream; returns about how many, and whether none are left."""
    rows = writer.execute(
        "SELECT number, coalesce(length(data), 0) FROM batches WHERE stream = ? LIMIT ?", (key, _DELETED_ROWS)
    ).fetchall()
    bytes_deleted = _DELETED_BYTES
    numbers = []
    while rows and bytes_deleted < size:
        number, length = rows.pop()
        numbers.append((number,))
        bytes_deleted += length + _DELETED_BYTES
    writer.executemany("DELETE FROM batches WHERE number = ?", numbers)
    return bytes_deleted, not rows and len(numbers) < _DELETED_ROWS


def explain(path: Path, error: sqlite3.Error) -> str:
    """Describes an error, and what to do about it."""
    if result_code(error) in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR):
        return (
            f"{path} is not a database or is damaged ({error}): stop the server, and move the file away together with"
            f" {path.name}-wal and {path.name}-shm; the server then starts with an empty store. The streams are lost,"
            " except for what `sqlite3 FILE .recover` can recover"
        )
    if result_code(error) == sqlite3.SQLITE_READONLY:
        return read_only(path)
    return (
        f"{path} cannot be used ({error}): check that the server's user can write the file and its directory, and that"
        " the disk has space"
    )


def read_only(path: Path) -> str:
    """Describes a read-only file, and what to do about it."""
    return (
        f"{path} is read-only: give the server's user write access to it, to {path.name}-lock, {path.name}-wal and"
        f" {path.name}-shm, and to the directory, or use another file"
    )
