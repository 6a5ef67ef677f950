"""A stream's events as rows: one for each piece, and the segment that rows make."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from google.protobuf.message import DecodeError

from ... import wire
from ..segment import Piece, Segment, damaged

INSERT: Final = """
INSERT INTO batches (stream, first_offset, next_offset, checksum_before, checksum, bytes, appended_at, data)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""

# From the row that has the event on. The columns come from the table and not from its index: a damaged index finds
# other rows.
SELECT: Final = """
SELECT row.stream, row.first_offset, row.next_offset, row.checksum_before, row.checksum, row.data
FROM batches AS place CROSS JOIN batches AS row ON row.number = place.number
WHERE place.stream = :stream AND place.first_offset >=
    (SELECT max(first_offset) FROM batches WHERE stream = :stream AND first_offset <= :start)
ORDER BY place.first_offset
"""

_DAMAGE: Final = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_TOOBIG))


class Run(NamedTuple):
    """Events to be stored at the end of a stream.

    Attributes:
        size_before: bytes of the stream's events before these.
        appended_at: seconds since 1970.

    """

    key: int
    pieces: Sequence[Piece]
    size_before: int
    appended_at: float


class _Row(NamedTuple):
    first_offset: int
    next_offset: int
    before: int
    after: int
    data: bytes


def result_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def to_rows(run: Run) -> Iterator[tuple[int, int, int, int, int, int, float, bytes]]:
    """The values to INSERT."""
    size = run.size_before
    for first_offset, events, before, after in run.pieces:
        size += sum(map(len, events))
        data = wire.SubscribeResponse(events=events).SerializeToString()
        yield run.key, first_offset, first_offset + len(events), before, after, size, run.appended_at, data


def to_segment(selected: Iterable[Sequence[Any]], key: int, start: int, max_bytes: int) -> Segment:
    """The segment of the rows from the event at `start` on, up to a row that is damaged.

    Args:
        selected: the rows, as SELECT returns them.
        key: the stream's key.
        start: the offset of an event that the stream has.
        max_bytes: bytes up to which rows are taken, but at least one row.

    Raises:
        DataLossError: the row that has the event at `start` is damaged or missing.
        sqlite3.Error: the file cannot be read.

    """
    rows: list[_Row] = []
    size = 0
    try:
        for row in _intact(selected, key, start):
            size += len(row.data)
            if rows and size > max_bytes:
                break
            rows.append(row)
    except sqlite3.DatabaseError as error:
        if result_code(error) not in _DAMAGE:
            raise
    if not rows:
        raise damaged(start)
    segment = Segment(rows[0].first_offset, rows[0].before)
    for piece in _pieces(rows):
        segment.append(piece)
    if segment.end <= start:
        raise damaged(segment.end)
    return segment


def _intact(selected: Iterable[Sequence[Any]], key: int, start: int) -> Iterator[_Row]:
    """The rows that follow each other without a gap, the first one with the event at `start`."""
    last: _Row | None = None
    for columns in selected:
        match columns:
            case (int(stream), int(first), int(end), int(before), int(after), bytes(data)) if stream == key:
                row = _Row(first, end, before, after, data)
            case _:
                return
        if last is None:
            follows = 0 <= row.first_offset <= start < row.next_offset and 0 <= row.before < 1 << 32
        else:
            follows = row.first_offset == last.next_offset < row.next_offset and row.before == last.after
        if not (follows and 0 <= row.after < 1 << 32):
            return
        yield row
        last = row


def _pieces(rows: Sequence[_Row]) -> Iterator[Piece]:
    """The pieces in the rows, up to a row that is damaged."""
    first_offset = rows[0].first_offset
    # Parsing all of them at once is faster.
    events = _parse(b"".join(row.data for row in rows), rows[-1].next_offset - first_offset)
    for row in rows:
        count = row.next_offset - row.first_offset
        start = row.first_offset - first_offset
        piece = _parse(row.data, count) if events is None else events[start : start + count]
        if piece is None:
            return
        yield Piece(row.first_offset, piece, row.before, row.after)


def _parse(data: bytes, count: int) -> Sequence[bytes] | None:
    """The events in the data of rows; None where there are not as many as there must be."""
    try:
        events: Sequence[bytes] = wire.SubscribeResponse.FromString(data).events
    except DecodeError:
        return None
    return events[:] if len(events) == count else None
