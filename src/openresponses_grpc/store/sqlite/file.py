"""The store's file: what is written into it and read from it, by the threads that do so."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

from google.protobuf.message import DecodeError

from ... import wire
from ..errors import StoreUnavailableError
from ..rules import take

ROW_BYTES: Final = 256 << 10
"""Bytes of events up to which a row is filled, so that one read in the middle of it is not slow."""

_DELETED_ROWS: Final = 1000
"""Rows that are looked at together when a dropped stream is deleted."""

_DELETED_BYTES: Final = 1024
"""What deleting a stream or a row takes, beside its data, in bytes of data that are deleted in the same time."""

# The last batch of a stream says where it ends.
_STREAMS: Final = """
SELECT key, id, epoch, finished_at, coalesce(next_offset, 0), coalesce(bytes, 0)
FROM streams LEFT JOIN batches
    ON number = (SELECT number FROM batches WHERE stream = key ORDER BY first_offset DESC LIMIT 1)
WHERE id IS NOT NULL ORDER BY finished_at
"""

# From the row that has the event on.
_READ: Final = """
SELECT first_offset, next_offset, data FROM batches WHERE stream = :stream AND first_offset >=
    (SELECT max(first_offset) FROM batches WHERE stream = :stream AND first_offset <= :start)
ORDER BY first_offset
"""


class StreamRow(NamedTuple):
    """A stream as it is stored; `finished_at` in seconds since 1970."""

    key: int
    stream_id: str
    epoch: int
    finished_at: float | None
    end: int
    bytes: int


class Run(NamedTuple):
    """Events to be stored, at the end of a stream.

    Attributes:
        first_offset: of the first event.
        size_before: bytes of the stream's events before these.

    """

    key: int
    first_offset: int
    size_before: int
    events: Sequence[bytes]


@dataclass
class Changes:
    """What one transaction changes."""

    dropped: list[int] = field(default_factory=list)
    created: list[tuple[int, str, int]] = field(default_factory=list)  # key, stream id, epoch
    runs: list[Run] = field(default_factory=list)
    finished: list[tuple[float, int]] = field(default_factory=list)  # finished at, key


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
            writer.executemany("INSERT INTO streams (key, id, epoch) VALUES (?, ?, ?)", changes.created)
            writer.executemany(
                "INSERT INTO batches (stream, first_offset, next_offset, bytes, data) VALUES (?, ?, ?, ?, ?)",
                (row for run in changes.runs for row in _rows(run)),
            )
            writer.executemany("UPDATE streams SET finished_at = ? WHERE key = ?", changes.finished)

    def delete(self, size: int) -> bool:
        """Deletes up to about `size` bytes of what dropped streams have left; returns whether there is more of it."""
        with self._transaction() as writer:
            while size > 0:
                size -= _DELETED_BYTES
                dropped = writer.execute("SELECT key FROM streams WHERE id IS NULL LIMIT 1").fetchone()
                if dropped is None:
                    return False
                rows = writer.execute(
                    "SELECT number, length(data) FROM batches WHERE stream = ? LIMIT ?", (*dropped, _DELETED_ROWS)
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

    def read(self, key: int, start_offset: int, max_bytes: int) -> Sequence[bytes]:
        """The events of a stream from an offset on that it has, at least one and up to `max_bytes` of them.

        Raises a `sqlite3.DatabaseError` where they are not all there.
        """
        batches: list[bytes] = []
        expected = first = None
        size = 0
        with closing(self._reader.execute(_READ, {"stream": key, "start": start_offset})) as rows:
            for first_offset, next_offset, data in rows:
                size += len(data)
                if batches and (size > max_bytes or first_offset != expected):
                    size -= len(data)
                    break
                if first is None:
                    first = first_offset
                batches.append(data)
                expected = next_offset
        try:
            events = wire.SubscribeResponse.FromString(b"".join(batches)).events
        except DecodeError:
            events = ()
        if first is None or expected is None or start_offset >= expected or len(events) != expected - first:
            raise sqlite3.DatabaseError(f"the events from offset {start_offset} on are damaged")
        events = events[start_offset - first :]
        return take(events, 0, max_bytes) if size > max_bytes else events

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._writer as writer:
            writer.execute("BEGIN IMMEDIATE")
            yield writer


def explain(path: Path, error: sqlite3.Error) -> str:
    """What to do about an error."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR):
        return (
            f"{path} is no database, or a damaged one ({error}): stop the server and move the file aside, together with"
            f" {path.name}-wal and {path.name}-shm, and it starts with an empty one. The streams in it are lost, but"
            " for what the command `sqlite3 FILE .recover` brings back"
        )
    return f"{path} cannot be used ({error}): can this user write the file and its directory, and is there room?"


def _rows(run: Run) -> Iterator[tuple[int, int, int, int, bytes]]:
    """The rows of a run: what is large is cut."""
    key, first_offset, size, events = run
    start = 0
    while start < len(events):
        taken = take(events, start, ROW_BYTES)
        start += len(taken)
        size += sum(map(len, taken))
        data = wire.SubscribeResponse(events=taken).SerializeToString()
        yield key, first_offset, first_offset + len(taken), size, data
        first_offset += len(taken)
