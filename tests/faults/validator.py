"""Holds what subscribers received against what a publisher knows to be stored. Pure: no I/O, no clock."""

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
    """What can go wrong with an event on its way to one subscriber."""

    LOST = "lost"
    """It was acknowledged, and never received."""
    DUPLICATE = "duplicate"
    """It was received again."""
    GAP = "gap"
    """It was received before the one in front of it."""
    REORDERED = "out of order"
    """It was received after a later one."""
    CHANGED = "changed"
    """Nobody sent it."""
    MISPLACED = "at another offset"
    """It was received as if it were at another offset than that at which it was published."""
    EPOCH = "in another epoch"
    """It was received from another stream of the same id."""


def digest(event: OpenResponsesStreamEvent) -> int:
    """64 bits that tell one event from every other."""
    return int.from_bytes(blake2b(event.SerializeToString(deterministic=True), digest_size=8).digest())


@dataclass
class Published:
    """What one publisher sent to one stream, from offset 0 on.

    Attributes:
        epoch: the stream's epoch.
        digests: those of the events, each at its offset.
        acknowledged: the offset before which everything is known to be stored.

    """

    epoch: int = 0
    digests: list[int] = field(default_factory=list)
    acknowledged: int = 0

    def send(self, event: OpenResponsesStreamEvent) -> None:
        """Notes an event that is about to be sent."""
        self.digests.append(digest(event))

    def acknowledge(self) -> None:
        """Notes that everything sent so far is stored."""
        self.acknowledged = len(self.digests)


@dataclass
class Received:
    """What one subscriber received, in the order in which it came.

    Attributes:
        start: the offset that it began to read at.
        epochs, offsets, digests: those of each event.

    """

    start: int = 0
    epochs: array[int] = field(default_factory=lambda: array("Q"))
    offsets: array[int] = field(default_factory=lambda: array("Q"))
    digests: array[int] = field(default_factory=lambda: array("Q"))

    def receive(self, position: Position | None, event: OpenResponsesStreamEvent) -> None:
        """Notes an event, and the position behind it."""
        assert position is not None
        self.epochs.append(position.epoch)
        self.offsets.append(position.offset - 1)
        self.digests.append(digest(event))


@dataclass(frozen=True)
class Verdict:
    """What the validation of one or of several streams came to.

    Attributes:
        events: how many were published.
        subscribers: how many there were.
        received: how many events they received, all together.
        faults: how often each happened.

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
    """Holds every subscriber of a stream, who read it as far as it goes, against its publisher.

    As all of them are held against the same events at the same offsets, they also agree with each other.
    """
    offsets = {digest: offset for offset, digest in enumerate(published.digests)}
    assert len(offsets) == len(published.digests), "the events cannot be told from each other"
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
