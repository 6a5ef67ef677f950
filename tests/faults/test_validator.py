"""The validator detects each fault, alone and combined."""

from collections import Counter

import pytest

from openresponses_grpc.position import Position

from ..support.events import event
from .validator import Fault, Published, Received, Verdict, validate

COUNT = 6
EPOCH = 2**63 - 1


def published(*, acknowledged: int = COUNT) -> Published:
    made = Published(epoch=EPOCH, acknowledged=acknowledged)
    for n in range(COUNT):
        made.send(event(n))
    return made


def received(numbers: list[int], *, start: int = 0, epoch: int = EPOCH) -> Received:
    """A subscriber that counts offsets from `start` and gets the events with these numbers."""
    made = Received(start)
    for offset, n in enumerate(numbers, start):
        made.receive(Position(epoch, offset + 1), event(n))
    return made


def raw(*offsets: int) -> Received:
    """A subscriber that gets the events of these offsets at their offsets."""
    made = Received()
    for offset in offsets:
        made.receive(Position(EPOCH, offset + 1), event(offset))
    return made


def changed() -> Received:
    made = raw(0, 1, 2, 3, 4)
    made.receive(Position(EPOCH, 6), event(5, padding=1))
    return made


def switched() -> Received:
    made = raw(0, 1, 2, 3, 4)
    made.receive(Position(EPOCH - 1, 6), event(5))
    return made


def test_complete_and_ordered_events_have_no_fault() -> None:
    subscribers = [raw(*range(COUNT)), received([*range(COUNT)]), received([4, 5], start=4), received([], start=COUNT)]
    verdict = validate(published(), subscribers)
    assert verdict == Verdict(COUNT, 4, 14, Counter())
    assert "events 6, subscribers 4, received 14, lost 0, duplicate 0" in str(verdict)


@pytest.mark.parametrize(
    "subscriber, faults",
    [
        (raw(0, 1, 3, 4, 5), {Fault.GAP: 1, Fault.LOST: 1}),
        (received([0, 1, 3, 4, 5]), {Fault.GAP: 1, Fault.LOST: 1, Fault.MISPLACED: 3}),
        (raw(0, 1, 1, 2, 3, 4, 5), {Fault.DUPLICATE: 1}),
        (received([0, 1, 1, 2, 3, 4, 5]), {Fault.DUPLICATE: 1, Fault.MISPLACED: 5}),
        (raw(0, 1, 2, 0, 1, 2, 3, 4, 5), {Fault.DUPLICATE: 3}),
        (raw(0, 2, 1, 3, 4, 5), {Fault.GAP: 1, Fault.REORDERED: 1}),
        (received([0, 2, 1, 3, 4, 5]), {Fault.GAP: 1, Fault.REORDERED: 1, Fault.MISPLACED: 2}),
        (raw(0, 1, 2, 3, 4), {Fault.LOST: 1}),
        (raw(), {Fault.LOST: COUNT}),
        (received([3, 4, 5], start=2), {Fault.GAP: 1, Fault.LOST: 1, Fault.MISPLACED: 3}),
        (changed(), {Fault.CHANGED: 1}),
        (received([0, 1, 2, 3, 4, 5, 6]), {Fault.CHANGED: 1}),
        (switched(), {Fault.EPOCH: 1}),
        (received([*range(COUNT)], epoch=1), {Fault.EPOCH: COUNT}),
    ],
)
def test_each_fault_is_detected_next_to_a_correct_subscriber(subscriber: Received, faults: dict[Fault, int]) -> None:
    verdict = validate(published(), [raw(*range(COUNT)), subscriber])
    assert verdict.faults == faults
    for fault in Fault:
        assert f"{fault} {faults.get(fault, 0)}" in str(verdict)


def test_unacknowledged_events_may_be_missing_only_at_the_end() -> None:
    assert validate(published(acknowledged=4), [raw(0, 1, 2, 3), raw(*range(COUNT))]).faults == {}
    assert validate(published(acknowledged=5), [raw(0, 1, 2, 3)]).faults == {Fault.LOST: 1}
    assert validate(published(acknowledged=4), [raw(0, 1, 2, 3, 5)]).faults == {Fault.GAP: 1}


def test_verdicts_can_be_added() -> None:
    one, other = validate(published(), [raw(0, 1, 2)]), validate(published(), [raw(*range(COUNT))] * 2)
    assert one + other == Verdict(2 * COUNT, 3, 15, Counter({Fault.LOST: 3}))


def test_indistinguishable_events_are_rejected() -> None:
    twice = published()
    twice.send(event(0))
    with pytest.raises(AssertionError, match="distinguished"):
        validate(twice, [])
