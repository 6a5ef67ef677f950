"""The search for a sequence number, for any numbers and any batches."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from openresponses_grpc import json_to_protobuf
from openresponses_grpc.gateway._search import Search, sequence_number

from .streams import delta

RISING = st.lists(st.one_of(st.none(), st.integers(1, 3)), min_size=1, max_size=30)


def rising_numbers(steps: list[int | None]) -> list[int | None]:
    """Returns rising numbers from the steps between them; None means an event without a number."""
    numbers: list[int | None] = []
    latest = -1
    for step in steps:
        latest += step or 0
        numbers.append(None if step is None else latest)
    return numbers


def expected(numbers: list[int | None], after: int) -> int | None:
    """Returns the offset after the last event with a number of at most `after`, or None if more events are required."""
    known = [offset for offset, number in enumerate(numbers) if number is not None and number <= after]
    reached = any(number is not None and number >= after for number in numbers)
    return (known[-1] + 1 if known else 0) if reached else None


@given(RISING, st.integers(0, 60), st.integers(1, 7))
@example([1, None, None], 2, 1)  # the batch of a jump that was wrong comes again in its turn
def test_the_search_finds_the_first_event_after_the_number(steps: list[int | None], after: int, batch: int) -> None:
    numbers = rising_numbers(steps)
    log = [json_to_protobuf(json.dumps(delta(number))) for number in numbers]
    search = Search(after)
    scanned = []
    while search.found is None:
        offset = search.next_offset
        if not log[offset : offset + batch]:
            if not search.jumped:
                break
            search.undo_jump()
            continue
        scanned.append(offset)
        search.scan(log[offset : offset + batch], offset)
    assert search.found == expected(numbers, after)
    assert len(scanned) - len(set(scanned)) <= 1, "only the batch of a wrong jump is scanned twice"


def test_the_search_jumps_if_the_numbers_are_offsets() -> None:
    log = [json_to_protobuf(json.dumps(delta(number))) for number in range(5000)]
    search = Search(4321)
    search.scan(log[:100], 0)
    assert (search.jumped, search.next_offset) == (True, 4321)
    search.scan(log[4321:4421], 4321)
    assert search.found == 4322


def test_events_of_any_kind_can_have_a_sequence_number() -> None:
    for text, number in [
        ('{"type":"response.completed","response":{},"sequence_number":7}', 7),
        ('{"type":"future.event","sequence_number":7}', 7),
        ('{"type":"future.event","sequenceNumber":7.5}', 7.5),
        ('{"type":"response.output_text.delta","sequence_number":"7"}', None),
        ('{"type":"response.output_text.delta","sequence_number":true}', None),
        ('{"type":"response.output_text.delta"}', None),
        ("{}", None),
    ]:
        assert sequence_number(json_to_protobuf(text)) == number
    assert sequence_number(b"") is None
