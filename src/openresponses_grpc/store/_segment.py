"""Consecutive events of a log with checksums, which verify that reads return what was appended."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from ..codec._checksum import checksum
from ._errors import DataLossError
from ._rules import events_up_to

PIECE_BYTES: Final = 256 << 10
"""The maximum bytes of events under one checksum. Reading one event verifies its whole piece."""


class Piece(NamedTuple):
    """Events that are stored and verified together.

    Attributes:
        first_offset: the offset of the first event.
        before: the log's checksum before them.
        after: the log's checksum after them.

    """

    first_offset: int
    events: Sequence[bytes]
    before: int
    after: int


def pieces(events: Sequence[bytes], first_offset: int, before: int) -> Iterator[Piece]:
    """Splits the events of an append to a log with this end offset and checksum into pieces."""
    start = 0
    while start < len(events):
        piece = events_up_to(events, start, PIECE_BYTES)
        after = checksum(piece, before)
        yield Piece(first_offset + start, piece, before, after)
        start, before = start + len(piece), after


class Verified(NamedTuple):
    """Verified events, at least one.

    Attributes:
        before: the log's checksum before them.
        after: the log's checksum after them.

    """

    events: Sequence[bytes]
    before: int
    after: int


class Segment:
    """Consecutive pieces without gaps.

    Args:
        first_offset: the offset of its first event.
        before: the log's checksum before it.

    Attributes:
        events: its events.

    """

    def __init__(self, first_offset: int, before: int) -> None:
        self.first_offset = first_offset
        self.events: list[bytes] = []
        # The end offsets of the pieces and the checksums there, preceded by the beginning of the segment.
        self._ends = array("Q", (first_offset,))
        self._checksums = array("I", (before,))
        self._last: tuple[tuple[int, int, int], Verified] | None = None

    @property
    def end(self) -> int:
        """The offset after its last event."""
        return self._ends[-1]

    def append(self, piece: Piece) -> None:
        """Appends a piece."""
        self.events += piece.events
        self._ends.append(piece.first_offset + len(piece.events))
        self._checksums.append(piece.after)

    def extend(self, events: Iterable[bytes], ends: Iterable[int], checksums: Iterable[int]) -> None:
        """Appends several pieces, given their events, their end offsets and the checksums there."""
        self.events += events
        self._ends.extend(ends)
        self._checksums.extend(checksums)

    def checksum_at(self, offset: int) -> int:
        """Returns the log's checksum at an offset within the segment; raises DataLossError."""
        index = bisect_right(self._ends, offset) - 1
        if self._ends[index] == offset:
            return self._checksums[index]
        self._verify(index)
        return checksum(self._between(self._ends[index], offset), self._checksums[index])

    def read(self, start: int, max_bytes: int) -> Verified:
        """Returns the events from an offset before the end on: at least one, and up to `max_bytes`.

        Raises:
            DataLossError: the piece with the first event is damaged.

        """
        # Subscribers at the same offset read the same events.
        key = (start, self.end, max_bytes)
        if self._last and self._last[0] == key:
            return self._last[1]
        events = events_up_to(self.events, start - self.first_offset, max_bytes)
        stop = start + len(events)
        first, last = bisect_right(self._ends, start) - 1, bisect_left(self._ends, stop)
        before = checksum(self._between(self._ends[first], start), self._checksums[first])
        after = checksum(events, before)
        if checksum(self._between(stop, self._ends[last]), after) != self._checksums[last]:
            self._verify(first)
            damaged = first + 1
            while not self._is_damaged(damaged):
                damaged += 1
            events = self._between(start, self._ends[damaged])
            after = self._checksums[damaged]
        verified = Verified(events, before, after)
        self._last = (key, verified)
        return verified

    def _between(self, start: int, stop: int) -> Sequence[bytes]:
        return self.events[start - self.first_offset : stop - self.first_offset]

    def _is_damaged(self, index: int) -> bool:
        events = self._between(self._ends[index], self._ends[index + 1])
        return checksum(events, self._checksums[index]) != self._checksums[index + 1]

    def _verify(self, index: int) -> None:
        if self._is_damaged(index):
            raise data_loss(self._ends[index])


def data_loss(offset: int) -> DataLossError:
    """Returns the error for stored events that are damaged from an offset on."""
    return DataLossError(f"the stored events from offset {offset} on are damaged", offset=offset)


def _stored_events() -> Any:
    """Builds the class of `message StoredEvents { repeated bytes events = 2; }`; 2 as in `SubscribeResponse`."""
    file = FileDescriptorProto(name="stored_events.proto", package="openresponses_grpc.store", syntax="proto3")
    file.message_type.add(name="StoredEvents").field.add(
        name="events", number=2, type=FieldDescriptorProto.TYPE_BYTES, label=FieldDescriptorProto.LABEL_REPEATED
    )
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("openresponses_grpc.store.StoredEvents"))


_StoredEvents = _stored_events()


def serialize_events(events: Sequence[bytes]) -> bytes:
    """Serializes events for a store. Serialized events can be concatenated."""
    data: bytes = _StoredEvents(events=events).SerializeToString()
    return data


def parse_events(data: bytes) -> Sequence[bytes]:
    """Parses serialized events.

    Raises:
        DecodeError: the bytes are damaged.

    """
    events: Sequence[bytes] = _StoredEvents.FromString(data).events
    return events
