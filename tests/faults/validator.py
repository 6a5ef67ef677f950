"""Compares the received events with those that a publisher knows to be stored. Pure: no I/O, no clock."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b

from openresponses_grpc.position import Position
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent


class Fault(StrEnum):
    """A fault in the delivery of an event to a subscriber."""

    LOST = "lost"
    """The event was acknowledged and never received."""
    DUPLICATE = "duplicate"
    """The event was received again."""
    GAP = "gap"
    """The event was received before its predecessor."""
    REORDERED = "out of order"
    """The event was received after a later one."""
    CHANGED = "changed"
    """The event was never sent."""
    MISPLACED = "at another offset"
    """The event was received at a different offset than that of its publication."""
    EPOCH = "in another epoch"
    """The event was received from another stream with the same id."""


def digest(event: OpenResponsesStreamEvent) -> int:
    """Returns a 64-bit hash that identifies an event."""
    return int.from_bytes(blake2b(event.SerializeToString(deterministic=True), digest_size=8).digest())


@dataclass
class Published:
    """The events that one publisher sent to one stream, from offset 0.

    Attributes:
        epoch: the epoch of the stream.
        digests: the digests of the events, by offset.
        acknowledged: the offset before which all events are known to be stored.

    """

    epoch: int = 0
    digests: list[int] = field(default_factory=list)
    acknowledged: int = 0

    def send(self, event: OpenResponsesStreamEvent) -> None:
        """Records an event that is about to be sent."""
        self.digests.append(digest(event))

    def acknowledge(self) -> None:
        """Records that everything sent so far is stored."""
        self.acknowledged = len(self.digests)


@dataclass
class Received:
    """The events that one subscriber received, in order of arrival.

    Attributes:
        start: the start offset of the subscriber.
        epochs, offsets, digests: the values of each event.

    """

    start: int = 0
    epochs: array[int] = field(default_factory=lambda: array("Q"))
    offsets: array[int] = field(default_factory=lambda: array("Q"))
    digests: array[int] = field(default_factory=lambda: array("Q"))

    def receive(self, position: Position | None, event: OpenResponsesStreamEvent) -> None:
        """Records an event and the position after it."""
        assert position is not None
        self.epochs.append(position.epoch)
        self.offsets.append(position.offset - 1)
        self.digests.append(digest(event))


@dataclass(frozen=True)
class Verdict:
    """The result of the validation of one or several streams.

    Attributes:
        events: the number of published events.
        subscribers: the number of subscribers.
        received: the number of events that all subscribers received.
        faults: the number of occurrences of each fault.

    """

    events: int = 0
    subscribers: int = 0
    received: int = 0
    faults: Counter[Fault] = field(default_factory=Counter)

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(
            self.events + other.events,
            self.subscribers + other.subscribers,
            self.received + other.received,
            self.faults + other.faults,
        )

    def __str__(self) -> str:
        counts = [f"events {self.events:,}", f"subscribers {self.subscribers:,}", f"received {self.received:,}"]
        return ", ".join(counts + [f"{fault} {self.faults[fault]:,}" for fault in Fault])


def validate(published: Published, subscribers: Sequence[Received]) -> Verdict:
    """Compares every subscriber of a stream, which has read to its end, with the publisher.

    All subscribers are compared with the same events at the same offsets, so they also agree with each other.
    """
    offsets = {digest: offset for offset, digest in enumerate(published.digests)}
    assert len(offsets) == len(published.digests), "the events cannot be distinguished"
    faults: Counter[Fault] = Counter()
    for received in subscribers:
        faults.update(_faults(published, offsets, received))
    return Verdict(len(published.digests), len(subscribers), sum(len(each.digests) for each in subscribers), faults)


def _faults(published: Published, offsets: dict[int, int], received: Received) -> Iterable[Fault]:
    seen: set[int] = set()
    next_offset = received.start
    for epoch, claimed, digest in zip(received.epochs, received.offsets, received.digests, strict=True):
        if epoch != published.epoch:
            yield Fault.EPOCH
        offset = offsets.get(digest)
        if offset is None:
            yield Fault.CHANGED
            offset = claimed
        elif offset != claimed:
            yield Fault.MISPLACED
        if offset in seen:
            yield Fault.DUPLICATE
        elif offset < next_offset:
            yield Fault.REORDERED
        elif offset > next_offset:
            yield Fault.GAP
        seen.add(offset)
        next_offset = max(next_offset, offset + 1)
    for offset in range(received.start, published.acknowledged):
        if offset not in seen:
            yield Fault.LOST
