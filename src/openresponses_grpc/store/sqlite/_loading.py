"""Loads all streams, without their events, when the file is opened."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import Final, NamedTuple

from .._errors import DataLossError
from .._times import Offsets
from ._rows import DAMAGE, read_segment, result_code

_VERIFIED_BYTES: Final = 1 << 20

_STREAMS: Final = """
SELECT key, id, tenant, epoch, owner, drawn, created_at, coalesce(finished_at, appended_at, created_at), finished_at,
    failure_reason, failure_message, coalesce(next_offset, 0), coalesce(bytes, 0), coalesce(checksum, 0), 0
FROM streams LEFT JOIN batches
    ON number = (SELECT number FROM batches WHERE stream = key ORDER BY first_offset DESC LIMIT 1)
{where} ORDER BY finished_at
"""
"""The last batch of a stream has its end."""

_WITHOUT_BATCHES: Final = """
SELECT key, id, tenant, epoch, owner, drawn, created_at, coalesce(finished_at, created_at), finished_at, failure_reason,
    failure_message, 0, 0, 0, 1
FROM streams ORDER BY finished_at
"""

_DROPPED: Final = """
WITH RECURSIVE keys (key) AS (
    SELECT min(stream) FROM batches
    UNION ALL SELECT (SELECT min(stream) FROM batches WHERE stream > keys.key) FROM keys WHERE keys.key IS NOT NULL
)
SELECT key FROM keys WHERE key NOT IN (SELECT key FROM streams)
"""
"""Dropped streams with batches left. The query takes one look-up per stream."""


class StreamRow(NamedTuple):
    """A stored stream; times are Unix times.

    Attributes:
        damaged: whether events at its end are unreadable; the stream then ends before the first of them.

    """

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
    damaged: bool


class Loaded(NamedTuple):
    """The contents of a file.

    Attributes:
        streams: the streams, ordered by the time of their end.
        dropped: the keys of dropped streams with batches left.
        next_key: the key for the next new stream.
        offsets: the clock offsets when the file was last open; None if they are missing.

    """

    streams: list[StreamRow]
    dropped: list[int]
    next_key: int
    offsets: Offsets | None


def load(path: Path, connection: sqlite3.Connection) -> Loaded:
    """Loads the contents of a file.

    If a page of events is damaged, the streams with events in it end before the damage; all others are complete.

    Raises:
        sqlite3.Error: the file is unreadable, or nothing in it is intact.

    """
    try:
        streams = [StreamRow(*row) for row in connection.execute(_STREAMS.format(where=""))]
    except sqlite3.DatabaseError as error:
        if result_code(error) not in DAMAGE or _is_cut_off(path, connection):
            raise
        rows = [StreamRow(*row) for row in connection.execute(_WITHOUT_BATCHES)]
        streams = [_load_stream(row, connection) for row in rows]
        if not any(row.end for row in streams):
            raise
    last_key = max((row.key for row in streams), default=0)
    dropped: list[int] = []
    try:
        dropped.extend(key for (key,) in connection.execute(_DROPPED) if isinstance(key, int) and key > 0)
        last_key = max((last_key, *dropped))
    except sqlite3.DatabaseError as error:
        if result_code(error) not in DAMAGE:
            raise
        last_key += 1 << 32  # beyond any key that may exist
    return Loaded(streams, dropped, last_key + 1, _load_offsets(connection))


def _load_offsets(connection: sqlite3.Connection) -> Offsets | None:
    try:
        row = connection.execute("SELECT boot, steady, wall FROM clock").fetchone()
    except sqlite3.DatabaseError as error:
        if result_code(error) not in DAMAGE:
            raise
        return None
    match row:
        case (str(boot), float(steady), float(wall)):
            return Offsets(boot, steady, wall)
        case _:
            return None  # a new file, or a damaged page


def _is_cut_off(path: Path, connection: sqlite3.Connection) -> bool:
    """Whether the file is shorter than its header says, and most of it is lost."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    return bool(path.stat().st_size < pages * page_size)


def _load_stream(row: StreamRow, connection: sqlite3.Connection) -> StreamRow:
    """Loads one stream from a damaged file; `row` is the stream without its events."""
    try:
        return StreamRow(*connection.execute(_STREAMS.format(where="WHERE key = ?"), (row.key,)).fetchone())
    except sqlite3.DatabaseError as error:
        if result_code(error) not in DAMAGE:
            raise
    end = size = checksum = 0
    try:
        while True:
            events = read_segment(connection, row.key, end, sys.maxsize, _VERIFIED_BYTES).read(end, _VERIFIED_BYTES)
            if events.before != checksum:
                break
            end += len(events.events)
            size += sum(map(len, events.events))
            checksum = events.after
    except DataLossError:
        pass
    return row._replace(end=end, bytes=size, checksum=checksum)
