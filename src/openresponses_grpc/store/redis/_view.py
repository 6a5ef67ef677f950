"""What a look at a stream in Redis shows: its state, and its events once they are verified."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from google.protobuf.message import DecodeError

from .._errors import DataLossError, OffsetTrimmedError
from .._interface import Failure
from .._segment import Piece, Segment, Verified
from .._stored import parse_events
from ._client import READ, Keys, Server


class Entry(NamedTuple):
    """An entry of a log, which holds a piece.

    Attributes:
        end: the offset after its events.
        length: the number of its events.
        before: the log's checksum before them.
        after: the log's checksum after them.
        size: bytes that it is serialized to.

    """

    end: int
    length: int
    before: int
    after: int
    size: int

    @classmethod
    def parse(cls, line: bytes) -> Entry:
        """Reads a line of the script; raises ValueError if the entry is damaged."""
        end, length, before, after, size = map(int, line.split(b" "))
        if not (0 < length <= end and before >> 32 == after >> 32 == 0):
            raise ValueError
        return cls(end, length, before, after, size)

    def piece(self, data: bytes) -> Piece:
        """Its events, from what they are serialized to; raises DecodeError or ValueError if they are damaged."""
        return Piece(self.end - self.length, _parse_events(data, self.length), self.before, self.after)


class View:
    """A look at a stream.

    Args:
        start: the offset that was looked at.
        max_bytes: bytes of the events looked for.
        other: another offset that was looked at.
        found: the script's reply; empty where there is no such stream.

    Attributes:
        epoch: the stream's epoch; 0 where there is no such stream.
        end: the offset at which it ends.
        checksum: the checksum of its events.
        finished: whether it has ended there for good.
        failure: why, if it has ended in failure.
        alive: seconds for which a publisher is known to be present; negative: since when none is.

    """

    def __init__(self, start: int, max_bytes: int, other: int | None, found: Sequence[Any]) -> None:
        self._start = start
        self._max_bytes = max_bytes
        self._other = other
        self._verified: Verified | None = None
        numbers, index, data, *more = found or _NOTHING
        self.epoch, self.end, self.checksum, finished, alive = map(int, numbers.split())
        self.finished = finished == 1
        self.alive = alive / 1000
        reason, message, other_index, other_data = more or (b"", b"", b"", b"")
        self._log: tuple[bytes, bytes] = index, data
        self._other_log: tuple[bytes, bytes] = other_index, other_data
        self.failure = parse_failure(reason, message)

    def read(self) -> Verified | None:
        """The events at the offset; None if it is not before the end.

        Raises:
            DataLossError: the entry that has the first one is damaged.
            OffsetTrimmedError: the log does not have it any more.

        """
        if self._verified is None and self._start < self.end:
            self._verified = _verified(*self._log, self._start, self.end, self._max_bytes)
        return self._verified

    def checksum_at(self, offset: int) -> int:
        """The checksum at the stream's end, or at one of the offsets looked at; raises as `read` does."""
        if offset == self.end:
            return self.checksum
        if offset == self._other:
            return _by_entry(*self._other_log, offset, self.end).checksum_at(offset)
        verified = self.read()
        assert offset == self._start
        assert verified
        return verified.before


_NOTHING: Final = (b"0 0 0 0 0", b"", b"")


async def look(
    server: Server, keys: Keys, start: int, max_bytes: int, other: int | None = None, keep: Sequence[int] = ()
) -> View:
    """Looks at a stream, at an offset, and at another one where a checksum is needed.

    A reader gives what the script takes to keep the stream for it.
    """
    found = await server.run(READ, keys, start, max_bytes, "" if other is None else other, *keep)
    return View(start, max_bytes, other, found)


def parse_failure(reason: bytes, message: bytes) -> Failure | None:
    """A failure as a script returns it."""
    return Failure(reason.decode(), message.decode()) if reason else None


def _parse_events(data: bytes, count: int) -> Sequence[bytes]:
    """Parses the events of entries; raises DecodeError or ValueError if they are damaged."""
    events = [*parse_events(data)]
    if len(events) != count:
        raise ValueError
    return events


def _verified(index: bytes, data: bytes, start: int, end: int, max_bytes: int) -> Verified:
    """The events at an offset from entries that follow each other, with their lines.

    All of them are verified as one piece first. Only if that fails, entry after entry is.
    """
    lines = index.split(b"\n")
    try:
        first, last = Entry.parse(lines[0]), Entry.parse(lines[-1])
        first_offset = first.end - first.length
        events = _parse_events(data, last.end - first_offset)
        whole = Segment(first_offset, first.before)
        whole.append(Piece(first_offset, events, first.before, last.after))
        if first_offset <= start < last.end:
            return whole.read(start, max_bytes)
    except (DataLossError, DecodeError, ValueError):
        pass
    return _by_entry(index, data, start, end).read(start, max_bytes)


def _by_entry(index: bytes, data: bytes, start: int, end: int) -> Segment:
    """The entries as far as they follow each other and can be parsed, the one that has the event at `start` first."""
    segment: Segment | None = None
    position = 0
    for line in index.splitlines():
        stop, entry = segment.end if segment else start, None
        try:
            entry = Entry.parse(line)
            piece = entry.piece(data[position : position + entry.size])
            if segment and piece.first_offset < stop:
                raise ValueError
        except (DecodeError, ValueError):
            if segment:
                return segment
            offset = min(start, entry.end - entry.length) if entry else start
            raise DataLossError(f"the stored events from offset {offset} on are damaged", offset=offset) from None
        if piece.first_offset > stop:
            if segment:
                return segment
            raise _trimmed(piece.first_offset)
        if segment is None:
            segment = Segment(piece.first_offset, piece.before)
        segment.append(piece)
        position += entry.size
    if segment is None:
        raise _trimmed(end)
    return segment


def _trimmed(oldest: int) -> OffsetTrimmedError:
    return OffsetTrimmedError(f"the events before offset {oldest} are no longer in the log", oldest_offset=oldest)
