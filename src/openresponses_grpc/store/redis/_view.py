"""A snapshot of a stream in Redis: its state and its verified events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from google.protobuf.message import DecodeError

from .._errors import DataLossError, OffsetTrimmedError
from .._interface import Failure
from .._segment import Piece, Segment, Verified, data_loss, parse_events
from ._client import READ, Keys, RedisClient


class Entry(NamedTuple):
    """The description of a log entry, which holds one piece.

    Attributes:
        end: the offset after its events.
        length: the number of its events.
        before: the log's checksum before them.
        after: the log's checksum after them.
        size: the bytes of the serialized events.

    """

    end: int
    length: int
    before: int
    after: int
    size: int

    @classmethod
    def parse(cls, line: bytes) -> Entry:
        """Parses a line of the script's reply; raises ValueError if the entry is damaged."""
        end, length, before, after, size = map(int, line.split(b" "))
        if not (0 < length <= end and before >> 32 == after >> 32 == 0):
            raise ValueError
        return cls(end, length, before, after, size)

    def piece(self, data: bytes) -> Piece:
        """Parses the serialized events; raises DecodeError or ValueError if they are damaged."""
        return Piece(self.end - self.length, _parse_events(data, self.length), self.before, self.after)


class View:
    """A snapshot of a stream.

    Args:
        start: the offset of the first event.
        max_bytes: the requested bytes of events.
        other: another offset, whose checksum was requested.
        reply: the script's reply; empty if the stream does not exist.

    Attributes:
        epoch: the epoch of the stream; 0 if it does not exist.
        end: its end offset.
        checksum: the checksum of its events.
        finished: whether it has ended.
        failure: why it failed, if it did.
        alive: seconds until the last lease of a publisher expires; negative if it has expired.

    """

    def __init__(self, start: int, max_bytes: int, other: int | None, reply: Sequence[Any]) -> None:
        self._start = start
        self._max_bytes = max_bytes
        self._other = other
        self._verified: Verified | None = None
        numbers, index, data, *more = reply or _NO_STREAM
        self.epoch, self.end, self.checksum, finished, alive = map(int, numbers.split())
        self.finished = finished == 1
        self.alive = alive / 1000
        reason, message, other_index, other_data = more or (b"", b"", b"", b"")
        self._log: tuple[bytes, bytes] = index, data
        self._other_log: tuple[bytes, bytes] = other_index, other_data
        self.failure = parse_failure(reason, message)

    def read(self) -> Verified | None:
        """Returns the events from the offset on; None if it is not before the end.

        Raises:
            DataLossError: the entry with the first event is damaged.
            OffsetTrimmedError: the log has dropped the first event.

        """
        if self._verified is None and self._start < self.end:
            self._verified = _verified(*self._log, self._start, self.end, self._max_bytes)
        return self._verified

    def checksum_at(self, offset: int) -> int:
        """Returns the checksum at the end of the stream or at a requested offset; raises as `read` does."""
        if offset == self.end:
            return self.checksum
        if offset == self._other:
            return _by_entry(*self._other_log, offset, self.end).checksum_at(offset)
        verified = self.read()
        assert offset == self._start
        assert verified
        return verified.before


_NO_STREAM: Final = (b"0 0 0 0 0", b"", b"")


async def fetch_view(
    client: RedisClient, keys: Keys, start: int, max_bytes: int, other: int | None = None, keep: Sequence[int] = ()
) -> View:
    """Fetches a snapshot of a stream.

    Args:
        client: the Redis client.
        keys: the keys of the stream.
        start: the offset of the first event.
        max_bytes: the bytes of events to fetch; at least one event is fetched.
        other: another offset, if its checksum is needed.
        keep: for a reader, the script's arguments that extend the retention.

    """
    reply = await client.run(READ, keys, start, max_bytes, "" if other is None else other, *keep)
    return View(start, max_bytes, other, reply)


def parse_failure(reason: bytes, message: bytes) -> Failure | None:
    """Parses the failure in a script's reply."""
    return Failure(reason.decode(), message.decode()) if reason else None


def _parse_events(data: bytes, count: int) -> Sequence[bytes]:
    """Parses the events of entries; raises DecodeError or ValueError if they are damaged."""
    events = [*parse_events(data)]
    if len(events) != count:
        raise ValueError
    return events


def _verified(index: bytes, data: bytes, start: int, end: int, max_bytes: int) -> Verified:
    """Returns the verified events at an offset from consecutive entries, described by the lines of `index`.

    The entries are verified as one piece first, and one by one only if that fails.
    """
    lines = index.split(b"\n")
    try:
        first, last = Entry.parse(lines[0]), Entry.parse(lines[-1])
        first_offset = first.end - first.length
        events = _parse_events(data, last.end - first_offset)
        segment = Segment(first_offset, first.before)
        segment.append(Piece(first_offset, events, first.before, last.after))
        if first_offset <= start < last.end:
            return segment.read(start, max_bytes)
    except (DataLossError, DecodeError, ValueError):
        pass
    return _by_entry(index, data, start, end).read(start, max_bytes)


def _by_entry(index: bytes, data: bytes, start: int, end: int) -> Segment:
    """Returns the segment that begins with the entry of the event at `start`, up to a gap or a damaged entry."""
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
            raise data_loss(offset) from None
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
