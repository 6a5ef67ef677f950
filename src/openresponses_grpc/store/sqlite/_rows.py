"""Writes the events of a stream as rows, one per piece, and reads and verifies them."""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain
from operator import lt
from typing import Any, Final, NamedTuple

from google.protobuf.message import DecodeError

from .._segment import Piece, Segment, data_loss, parse_events, serialize_events

INSERT: Final = """
INSERT INTO batches (stream, first_offset, next_offset, checksum_before, checksum, bytes, appended_at, data)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""

# Joins the entries of the index with the rows of the table: they may differ if one of them is damaged.
_ENTRIES: Final = """
FROM batches AS entry CROSS JOIN batches AS row
    ON row.number = entry.number AND +row.stream = entry.stream AND +row.first_offset = entry.first_offset
WHERE entry.stream = :stream
"""

_FIRST: Final = f"""
SELECT row.first_offset, row.checksum_before {_ENTRIES} AND entry.first_offset <= :start
ORDER BY entry.first_offset DESC LIMIT 1
"""

_SELECT: Final = f"""
SELECT row.next_offset, row.checksum, row.data {_ENTRIES} AND entry.first_offset >= :start AND entry.first_offset < :end
ORDER BY entry.first_offset
"""

_Row = tuple[Any, ...]

DAMAGE: Final = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_TOOBIG))
"""SQLite's result codes for a damaged page."""


class Run(NamedTuple):
    """Events to be stored at the end of a stream.

    Attributes:
        size_before: the bytes of the stream's events before these.
        appended_at: the Unix time of the append.

    """

    key: int
    pieces: Sequence[Piece]
    size_before: int
    appended_at: float


def result_code(error: sqlite3.Error) -> int:
    """Returns SQLite's primary result code."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def to_rows(run: Run) -> Iterator[tuple[int, int, int, int, int, int, float, bytes]]:
    """Yields the values for INSERT."""
    size = run.size_before
    for first_offset, events, before, after in run.pieces:
        size += sum(map(len, events))
        data = serialize_events(events)
        yield run.key, first_offset, first_offset + len(events), before, after, size, run.appended_at, data


def read_segment(reader: sqlite3.Connection, key: int, start: int, end: int, max_bytes: int) -> Segment:
    """Reads the rows from the event at `start` on, up to `end` or the first damaged row.

    Args:
        reader: the reading connection.
        key: the stream's key.
        start: the offset of an existing event.
        end: the offset from which on no row is read.
        max_bytes: the maximum bytes of the rows; at least one row is read.

    Raises:
        DataLossError: the row with the event at `start` is damaged or missing.
        sqlite3.Error: the file is unreadable.

    """
    first: tuple[Any, ...] | None = None
    rows: list[_Row] = []
    try:
        with closing(reader.cursor()) as cursor:
            first = cursor.execute(_FIRST, {"stream": key, "start": start}).fetchone()
            if first is not None:
                cursor.execute(_SELECT, {"stream": key, "start": first[0], "end": end})
                rows.extend(_take(cursor, max_bytes))
    except sqlite3.DatabaseError as error:
        if result_code(error) not in DAMAGE:
            raise
    match first:
        case (int(first_offset), int(before)) if first_offset >= 0 and 0 <= before < 1 << 32:
            segment = Segment(first_offset, before)
        case _:
            raise data_loss(start)
    if (events := _parse(rows, first_offset)) is None:
        intact = bisect_left(range(len(rows)), True, key=lambda last: _parse(rows[: last + 1], first_offset) is None)
        rows = rows[:intact]
        events = _parse(rows, first_offset)
    if rows and events:
        ends, checksums, _ = zip(*rows, strict=True)
        segment.extend(events, ends, checksums)
    if segment.end <= start:
        raise data_loss(segment.end)
    return segment


def _take(rows: Iterable[_Row], max_bytes: int) -> Iterator[_Row]:
    """Yields at least one row, and rows up to `max_bytes`; stops at a row without data."""
    size = 0
    for row in rows:
        data = row[-1]
        if type(data) is not bytes:
            return
        if size and size + len(data) > max_bytes:
            return
        size += len(data)
        yield row


def _parse(rows: Sequence[_Row], first_offset: int) -> Sequence[bytes] | None:
    """Parses the events of rows; None if a row is inconsistent."""
    if not rows:
        return ()
    ends, checksums, data = zip(*rows, strict=True)
    if set(map(type, chain(ends, checksums))) != {int}:
        return None
    if not (all(map(lt, (first_offset, *ends), ends)) and min(checksums) >= 0 and max(checksums) < 1 << 32):
        return None
    try:
        events = parse_events(b"".join(data))
    except DecodeError:
        return None
    return events if len(events) == ends[-1] - first_offset else None
