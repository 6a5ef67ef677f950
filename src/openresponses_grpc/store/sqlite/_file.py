"""The store's file: what is written into it and read from it, by the threads that do so."""

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
"""What a change takes in the file beside its events, at most."""

_DROP_BYTES: Final = 16 << 10
"""What it takes in the log to drop a stream, at most: a few pages."""

_PAGE_BYTES: Final = 4096
"""Bytes of a page, of which a check writes one."""

_DELETED_ROWS: Final = 1000
"""Rows that are looked at together when a dropped stream is deleted."""

_DELETED_BYTES: Final = 1024
"""What deleting a stream or a row takes, beside its data, in bytes of data that are deleted in the same time."""


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
    """The end of a stream to be stored; without a failure it is complete."""

    finished_at: float
    failure_reason: str | None
    failure_message: str | None
    key: int


@dataclass
class Changes:
    """The changes of one transaction.

    Attributes:
        event_bytes: bytes of its events.

    """

    event_bytes: int = 0
    dropped: list[int] = field(default_factory=list)
    created: list[NewStream] = field(default_factory=list)
    claimed: list[tuple[int, int, int]] = field(default_factory=list)  # owner, drawn, key
    runs: list[Run] = field(default_factory=list)
    finished: list[Finish] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes by which they make the file grow, at most; 0 if they only drop streams."""
        changes = len(self.created) + len(self.claimed) + len(self.runs) + len(self.finished)
        return self.event_bytes * 9 // 8 + changes * _CHANGE_BYTES


class File:
    """An open file: one thread may write and delete, and another one read at the same time.

    Every method may raise a `sqlite3.Error`, and those that write a StoreUnavailableError.

    Args:
        path: where it is, for messages.
        writer: the connection that writes.
        reader: the connection that reads.
        identity: which file it is.
        disk: the room for it.
        loaded: what it had when it was opened.
        opened: closes all of these, and lets other servers open the file.

    Attributes:
        loaded: what it had when it was opened.
        new_keys: for streams to be created.

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
        """Closes it, from any thread: nothing may be under way."""
        self._opened.close()

    def unavailable(self, error: sqlite3.Error) -> StoreUnavailableError:
        """What callers of the store are told of an error."""
        full = result_code(error) == sqlite3.SQLITE_FULL
        return (DiskFullError if full else StoreUnavailableError)(explain(self._path, error))

    def look(self, offsets: Offsets) -> None:
        """Checks that it is still the same file, keeps the reserve, and stores the clocks' offsets if they changed."""
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
            _logger.error("cannot store how the clocks are set: %s", explain(self._path, error))
        self._offsets = offsets

    def write(self, changes: Changes) -> None:
        """Makes all changes, or none."""
        self._identity.check()
        size = changes.size
        may_grow = self._disk.admit(size) if size else True
        with self._transaction(may_grow=may_grow) as writer:
            # Its batches go later, a few at a time. To delete takes no new page, which a full disk would not have.
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
        """Drops streams, a few at a time where the log has no room for more."""
        self._identity.check()
        step = max(1, self._disk.reserve // 4 // _DROP_BYTES)
        full: DiskFullError | None = None
        for start in range(0, len(keys), step):
            if self._disk.is_low():
                self._disk.checkpoint()
            try:
                self.write(Changes(dropped=list(keys[start : start + step])))
            except DiskFullError as error:
                full = error  # others may need no page, and give some back
        if full:
            raise full

    def check(self) -> None:
        """Writes a page as it is."""
        self._identity.check()
        self._disk.admit(_PAGE_BYTES)
        with self._transaction() as writer:
            (version,) = writer.execute("PRAGMA user_version").fetchone()
            writer.execute(f"PRAGMA user_version = {version}")

    def delete(self, size: int) -> bool:
        """Deletes up to about `size` bytes of what dropped streams have left; returns whether there is more of it."""
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
            del self._dropped[deleted]  # until the next start
            _logger.error("cannot delete all of an expired stream: %s", explain(self._path, error))
        else:
            del self._dropped[:deleted]
        return bool(self._dropped)

    def read(self, key: int, start: int, max_bytes: int) -> Verified:
        """The events of a stream from an offset on that it has, at least one and up to `max_bytes` of them.

        Raises:
            DataLossError: the first one is damaged.

        """
        return read_segment(self._reader, key, start, max_bytes).read(start, max_bytes)

    def checksum_at(self, key: int, offset: int) -> int:
        """The checksum of a stream's events before an offset where it has an event; raises DataLossError."""
        return read_segment(self._reader, key, offset, 0).checksum_at(offset)

    @contextmanager
    def _transaction(self, *, may_grow: bool = True) -> Iterator[sqlite3.Connection]:
        with self._writer as writer:
            writer.execute("BEGIN IMMEDIATE")
            before = self._disk.pages()
            yield writer
            self._disk.take_room(before, may_grow=may_grow)


def _delete_some(writer: sqlite3.Connection, key: int, size: int) -> tuple[int, bool]:
    """Deletes up to about `size` bytes of a dropped stream; returns about how many, and whether it was all of it."""
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
    """What to do about an error."""
    if result_code(error) in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR):
        return (
            f"{path} is no database, or a damaged one ({error}): stop the server and move the file aside, together with"
            f" {path.name}-wal and {path.name}-shm, and it starts with an empty one. The streams in it are lost, but"
            " for what the command `sqlite3 FILE .recover` brings back"
        )
    if result_code(error) == sqlite3.SQLITE_READONLY:
        return read_only(path)
    return f"{path} cannot be used ({error}): can this user write the file and its directory, and is there room?"


def read_only(path: Path) -> str:
    """What to do about a file that cannot be written."""
    return (
        f"{path} is read-only: let the server's user write it, {path.name}-lock, {path.name}-wal, {path.name}-shm and"
        " the directory, or name another file"
    )
