"""Readers turn arbitrary bytes into events or a documented error.

`test_robustness_nesting`, `_numbers` and `_protobuf` test particular inputs, and `test_memory` the memory. `tests/fuzz`
checks the same properties for longer.
"""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openresponses_grpc.framing import FORMATS

from ..support.damage import Change, arbitrary, changed, changes, chunks, cuts
from ..support.stream_properties import check_json, check_protobuf, check_stream, read
from ..support.stream_seeds import EVENTS, JSON, STREAMS

formats = pytest.mark.parametrize("name", FORMATS)


@formats
@given(data=arbitrary, at=cuts, strict=st.booleans())
def test_arbitrary_bytes_are_events_or_documented_error(
    name: str, data: bytes, at: list[int] | None, strict: bool
) -> None:
    check_stream(name, chunks(data, at), strict)


@given(data=arbitrary | st.builds(changed, st.sampled_from(JSON), changes), strict=st.booleans())
def test_damaged_json_is_event_or_documented_error(data: bytes, strict: bool) -> None:
    check_json(data, strict)


@given(data=arbitrary | st.builds(changed, st.sampled_from(EVENTS), changes))
def test_damaged_protobuf_is_converted_or_documented_error(data: bytes) -> None:
    check_protobuf(data)


@pytest.mark.parametrize("number", range(len(EVENTS)))
def test_protobuf_truncated_or_with_flipped_bit_at_every_byte(number: int) -> None:
    event = EVENTS[number][:400]
    for place in range(len(event)):
        check_protobuf(EVENTS[number][:place])
        for bit in (1, 8, 128):
            check_protobuf(event[:place] + bytes([event[place] ^ bit]) + EVENTS[number][place + 1 :])


@pytest.mark.parametrize(
    "name, line_end",
    [("ndjson", b"\n"), ("ndjson", b"\r\n"), ("sse", b"\n"), ("sse", b"\r\n"), ("sse", b"\r"), ("protobuf", b"")],
)
@settings(max_examples=50)
@given(order=st.lists(st.integers(0, len(EVENTS) - 1), max_size=6), made=changes, at=cuts)
def test_damage_does_not_affect_earlier_events(
    name: str, line_end: bytes, order: list[int], made: list[Change], at: list[int] | None
) -> None:
    parts = [STREAMS[name][i].replace(b"\n", line_end) if line_end else STREAMS[name][i] for i in order]
    valid = b"".join(parts)
    data = changed(valid, made)
    same = next((i for i, (old, new) in enumerate(zip(valid, data, strict=False)) if old != new), len(data))
    whole = sum(stop <= same for stop in itertools.accumulate(map(len, parts)))
    events = check_stream(name, chunks(data, at))
    assert events[:whole] == [EVENTS[i] for i in order[:whole]]


@formats
def test_reads_undamaged_stream(name: str) -> None:
    events, end = read(name, STREAMS[name])
    assert (events, end[:7]) == (EVENTS, "the end")


@formats
@pytest.mark.parametrize("insertion, removed", [(b"\n", 0), (b" ", 0), (b"-", 0), (b"", 1), (b"\x00", 1)])
def test_byte_inserted_removed_or_replaced_at_every_offset(name: str, insertion: bytes, removed: int) -> None:
    # An event with an output item that contains a list and null.
    valid, after = STREAMS[name][2], STREAMS[name][0]
    for place in range(len(valid)):
        check_stream(name, [valid[:place] + insertion + valid[place + removed :] + after])
