"""The store's file: what is written into it and read from it, by the threads that do so."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

from ..errors import StoreUnavailableError
from ..segment import Verified
from .rows import INSERT, Run, read_segment, result_code, to_rows

_DELETED_ROWS: Final = 1000
"""Rows that are looked at together when a dropped stream is deleted."""

_DELETED_BYTES: Final = 1024
"""What deleting a stream or a row takes, beside its data, in bytes of data that are deleted in the same time."""

# The last batch of a stream says where it ends.
_STREAMS: Final = """
SELECT key, id, tenant, epoch, owner, drawn, created_at, coalesce(finished_at, appended_at, created_at), finished_at,
    failure_reason, failure_message, coalesce(next_offset, 0), coalesce(bytes, 0), coalesce(checksum, 0)
FROM streams LEFT JOIN batches
    ON number = (SELECT number FROM batches WHERE stream = key ORDER BY first_offset DESC LIMIT 1)
WHERE id IS NOT NULL ORDER BY finished_at
"""


class StreamRow(NamedTuple):
    """A stream as it is stored; times in seconds since 1970."""

    key: int
    stream_id: str
    tenant: str
    epoch: int
    owner: int
    drawn: int
    created_at: float
    updated_at: float
    finished_at: float | None
    failure_reason: str | None
    failure_message: str | None
    end: int
    bytes: int
    checksum: int


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
    """The changes of one transaction."""

    dropped: list[int] = field(default_factory=list)
    created: list[NewStream] = field(default_factory=list)
    claimed: list[tuple[int, int, int]] = field(default_factory=list)  # owner, drawn, key
    runs: list[Run] = field(default_factory=list)
    finished: list[Finish] = field(default_factory=list)


class File:
    """An open file: one thread may write and delete, and another one read at the same time.

    Every method may raise a `sqlite3.Error`.

    Args:
        path: where it is, for messages.
        writer: the connection that writes.
        reader: the connection that reads.
        lock: what keeps other servers off the file.

    Attributes:
        streams: those that were there when it was opened, the one that finished first before the others.
        new_keys: for streams to be created.

    """

    def __init__(
        self, path: Path, writer: sqlite3.Connection, reader: sqlite3.Connection, lock: sqlite3.Connection
    ) -> None:
        self._path = path
        self._writer = writer
        self._reader = reader
        self._lock = lock
        self.streams = [StreamRow(*row) for row in writer.execute(_STREAMS)]
        (last_key,) = writer.execute("SELECT coalesce(max(key), 0) FROM streams").fetchone()
        self.new_keys = count(last_key + 1)

    def close(self) -> None:
        """Closes it, from any thread: nothing may be under way."""
        self._reader.close()
        self._writer.close()
        self._lock.close()

    def unavailable(self, error: sqlite3.Error) -> StoreUnavailableError:
        """What callers of the store are told of an error."""
        return StoreUnavailableError(explain(self._path, error))

    def write(self, changes: Changes) -> None:
        """Makes all changes, or none."""
        with self._transaction() as writer:
            # Its batches go later, a few at a time; its id is free from here on.
            writer.executemany("UPDATE streams SET id = NULL WHERE key = ?", ((key,) for key in changes.dropped))
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

    def check(self) -> None:
        """Writes a page as it is."""
        with self._transaction() as writer:
            (version,) = writer.execute("PRAGMA user_version").fetchone()
            writer.execute(f"PRAGMA user_version = {version}")

    def delete(self, size: int) -> bool:
        """Deletes up to about `size` bytes of what dropped streams have left; returns whether there is more of it."""
        with self._transaction() as writer:
            while size > 0:
                size -= _DELETED_BYTES
                dropped = writer.execute("SELECT key FROM streams WHERE id IS NULL LIMIT 1").fetchone()
                if dropped is None:
                    return False
                rows = writer.execute(
                    "SELECT number, coalesce(length(data), 0) FROM batches WHERE stream = ? LIMIT ?",
                    (*dropped, _DELETED_ROWS),
                ).fetchall()
                numbers = []
                while rows and size > 0:
                    number, length = rows.pop()
                    numbers.append((number,))
                    size -= length + _DELETED_BYTES
                writer.executemany("DELETE FROM batches WHERE number = ?", numbers)
                if not rows and len(numbers) < _DELETED_ROWS:
                    writer.executemany("DELETE FROM streams WHERE key = ?", [dropped])
        return True

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
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._writer as writer:
            writer.execute("BEGIN IMMEDIATE")
            yield writer


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
