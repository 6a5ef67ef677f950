"""Readers against any bytes: an event or a documented error. `test_memory` has what they hold while they read.

`tests/fuzz` searches the same properties for longer.
"""

import itertools
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openresponses.v1.events_pb2 import OpenResponsesStreamEvent, UnrecognizedEvent
from openresponses_grpc import (
    EventShapeError,
    IncompleteEventError,
    InvalidJSONError,
    InvalidProtobufError,
    from_json,
    to_dict,
    to_json,
)
from openresponses_grpc.codec import NAMINGS, Naming
from openresponses_grpc.framing import FORMATS, read_events

from .events import GENERATING_JSON
from .fuzz.properties import check_json, check_stream, check_writing, encoded, read
from .fuzz.seeds import EVENTS, JSON, STREAMS, TOKENS

naming = st.sampled_from(NAMINGS)
cuts = st.lists(st.integers(0, 4000), max_size=6) | st.none()
some_bytes = st.binary(max_size=8) | st.sampled_from(TOKENS)
arbitrary = st.binary(max_size=200) | st.lists(some_bytes, max_size=30).map(b"".join)


class Change(NamedTuple):
    """Bytes of a valid input cut out, put in, written over or doubled."""

    start: int
    length: int
    replacement: bytes | None

    def apply(self, data: bytes) -> bytes:
        start = self.start % (len(data) + 1)
        stop = start + self.length
        new = data[start:stop] * 2 if self.replacement is None else self.replacement
        return data[:start] + new + data[stop:]


changes = st.lists(
    st.builds(Change, st.integers(0, 4000), st.integers(0, 4) | st.integers(0, 300), st.none() | some_bytes),
    max_size=3,
)


def changed(data: bytes, made: list[Change]) -> bytes:
    for change in made:
        data = change.apply(data)
    return data


def chunks(data: bytes, at: list[int] | None) -> list[bytes]:
    """Bytes cut at these places, or into single bytes with nothing between them."""
    places = (
        sorted(cut % (len(data) + 1) for cut in at)
        if at is not None
        else [twice // 2 for twice in range(2 * len(data))]
    )
    return [data[start:stop] for start, stop in itertools.pairwise([0, *places, len(data)])]


def varint(number: int) -> bytes:
    """A number of any size, also of more than the 64 bits that a varint may have."""
    return bytes([number & 0x7F | 0x80]) + varint(number >> 7) if number > 0x7F else bytes([number])


def delimited(message: bytes) -> bytes:
    return varint(len(message)) + message


def read_json(reader: str, data: bytes, strict: bool = False) -> OpenResponsesStreamEvent:
    """Reads one event's JSON as it is, as a line, or as an event of a stream."""
    if reader == "json":
        return from_json(data, strict=strict)
    stream = data + b"\n" if reader == "ndjson" else b"data: " + data + b"\n\n"
    (event,) = read_events(FORMATS[reader].reader("camelCase", strict), [stream])
    return event


def read_protobuf(*pieces: bytes) -> list[OpenResponsesStreamEvent]:
    return list(read_events(FORMATS["protobuf"].reader("camelCase", False), pieces))


@contextmanager
def traced() -> Iterator[Callable[[], int]]:
    """Measures the memory of Python's objects: gives a function that says how much it has grown at most."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    peak = before
    try:
        yield lambda: peak - before
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


json_readers = pytest.mark.parametrize("reader", ["json", "ndjson", "sse"])
formats = pytest.mark.parametrize("name", FORMATS)


# Any bytes.


@formats
@settings(deadline=None)
@given(data=arbitrary, at=cuts, naming=naming, strict=st.booleans())
def test_any_bytes_are_events_or_a_documented_error(
    name: str, data: bytes, at: list[int] | None, naming: Naming, strict: bool
) -> None:
    check_stream(name, chunks(data, at), naming, strict)


@pytest.mark.parametrize(
    "name, line_end",
    [("ndjson", b"\n"), ("ndjson", b"\r\n"), ("sse", b"\n"), ("sse", b"\r\n"), ("sse", b"\r"), ("protobuf", b"")],
)
@settings(deadline=None, max_examples=50)
@given(order=st.lists(st.integers(0, len(EVENTS) - 1), max_size=6), made=changes, at=cuts)
def test_what_comes_before_a_change_of_a_stream_is_read_as_ever(
    name: str, line_end: bytes, order: list[int], made: list[Change], at: list[int] | None
) -> None:
    parts = [STREAMS[name][i].replace(b"\n", line_end) if line_end else STREAMS[name][i] for i in order]
    valid = b"".join(parts)
    data = changed(valid, made)
    same = next((i for i, (old, new) in enumerate(zip(valid, data, strict=False)) if old != new), len(data))
    whole = sum(stop <= same for stop in itertools.accumulate(map(len, parts)))
    events = check_stream(name, chunks(data, at), "camelCase", strict=False)
    each, _ = read(name, STREAMS[name])
    assert encoded(events[:whole]) == encoded(each[i] for i in order[:whole])


@formats
@pytest.mark.parametrize("put_in, cut_out", [(b"\n", 0), (b" ", 0), (b"-", 0), (b"", 1), (b"\x00", 1)])
def test_a_byte_more_or_less_or_another_at_every_place_of_an_event(name: str, put_in: bytes, cut_out: int) -> None:
    first, second, *_ = STREAMS[name]
    for place in range(len(first)):
        changed = first[:place] + put_in + first[place + cut_out :]
        check_stream(name, [changed + second], "camelCase", strict=False)


@settings(deadline=None)
@given(data=arbitrary | st.builds(changed, st.sampled_from(JSON), changes), naming=naming, strict=st.booleans())
def test_any_json_is_an_event_or_a_documented_error(data: bytes, naming: Naming, strict: bool) -> None:
    check_json(data, naming, strict)


# A hundred thousand levels of nesting.

DEEP = 100_000
NESTED = [b"[" * DEEP + b"]" * DEEP, b"[" * DEEP, b'{"":' * DEEP + b"0" + b"}" * DEEP, b'{"":' * DEEP]


@json_readers
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("before", [b"", b'{"type":"x","y":', GENERATING_JSON[:-1] + b',"size":'])
@pytest.mark.parametrize("nested", NESTED, ids=lambda nested: str(nested[:5]))
def test_deep_nesting_is_an_error(reader: str, strict: bool, before: bytes, nested: bytes) -> None:
    with pytest.raises(InvalidJSONError):
        read_json(reader, before + nested + b"}" * bool(before), strict)


@json_readers
def test_nesting_of_a_hundred_levels_is_none_too_many(reader: str) -> None:
    text = b'{"type":"x","y":' + b"[" * 100 + b"]" * 100 + b"}"
    assert to_json(read_json(reader, text)) == text


def test_deep_nesting_in_raw_json_of_a_message_is_read_and_has_no_json() -> None:
    text = '{"type":"x","y":' + "[" * DEEP + "]" * DEEP + "}"
    unrecognized = OpenResponsesStreamEvent(unrecognized=UnrecognizedEvent(type="x", json=text))
    extra = from_json(GENERATING_JSON)
    extra.extra_json = text
    for event in (unrecognized, extra):
        assert read_protobuf(delimited(event.SerializeToString())) == [event]
        for write in (to_json, to_dict):
            with pytest.raises(IncompleteEventError):
                write(event)
        check_writing([event])


@pytest.mark.parametrize("nested", [b"\x3b" * DEEP + b"\x3c" * DEEP, b"\x3b" * DEEP], ids=["closed", "open"])
def test_deep_nesting_of_unknown_groups_is_an_error(nested: bytes) -> None:
    with pytest.raises(InvalidProtobufError, match="no OpenResponsesStreamEvent"):
        read_protobuf(delimited(nested))


# Numbers of five thousand digits.


@json_readers
@pytest.mark.parametrize(
    "number", [b"9" * 5000, b"-" + b"9" * 5000, b"9" * 5000 + b".5"], ids=lambda number: number[:2]
)
def test_number_of_5000_digits_is_outside_the_range(reader: str, number: bytes) -> None:
    text = GENERATING_JSON.replace(b"7977.54", number)
    with pytest.raises(EventShapeError, match="outside the range"):
        read_json(reader, text, strict=True)
    carried = read_json(reader, text)
    assert carried.unrecognized.json == text.decode() == to_json(carried).decode()


@json_readers
@pytest.mark.parametrize("number, value", [(b"1" + b"0" * 5000 + b"e-5000", 1), (b"0." + b"0" * 5000 + b"1", 0)])
def test_number_of_5000_digits_within_the_range(reader: str, number: bytes, value: int) -> None:
    event = read_json(reader, GENERATING_JSON.replace(b"7977.54", number), strict=True)
    assert event.image_generation_call_generating.output_index == value


@json_readers
@pytest.mark.parametrize("before", [b'{"type":"x","y":', GENERATING_JSON[:-1] + b',"size":'])
def test_number_of_5000_digits_that_is_not_modelled_is_carried(reader: str, before: bytes) -> None:
    text = before + b"9" * 5000 + b"}"
    event = read_json(reader, text)
    assert to_json(event) == text
    with pytest.raises(IncompleteEventError):  # json.loads reads no such integer
        to_dict(event)


@json_readers
def test_type_of_5000_digits_is_an_error(reader: str) -> None:
    with pytest.raises(InvalidJSONError, match=r"^\$\.type: expected a string, got a number"):
        read_json(reader, b'{"type":' + b"9" * 5000 + b"}")


def test_numbers_of_5000_digits_in_the_fields_of_sse_are_passed_over() -> None:
    stream = b"retry: " + b"9" * 5000 + b"\nid: " + b"9" * 5000 + b"\ndata: " + GENERATING_JSON + b"\n\n"
    assert read("sse", [stream]) == ([from_json(GENERATING_JSON)], "the end at line 3")


# Varints and lengths.

LENGTHS = [2**31, 2**32, 2**35, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 2**70]


@pytest.mark.parametrize("size", [1, 2, 100])
@pytest.mark.parametrize("length", LENGTHS)
def test_length_that_no_message_has_is_an_error_without_waiting_for_the_message(length: int, size: int) -> None:
    reader = FORMATS["protobuf"].reader("camelCase", False)
    data = varint(length) + b"few bytes"
    with traced() as memory, pytest.raises(InvalidProtobufError, match="no length of a message"):
        for start in range(0, len(data), size):
            assert list(reader.feed(data[start : start + size])) == []
    assert memory() < 64 << 10
    assert reader.position == "message 1"


def test_largest_length_takes_no_memory_before_its_bytes_come() -> None:
    reader = FORMATS["protobuf"].reader("camelCase", False)
    with traced() as memory:
        assert list(reader.feed(varint(2**31 - 1) + b"few bytes")) == []
    assert memory() < 64 << 10
    with pytest.raises(InvalidProtobufError, match="ends within a message"):
        list(reader.close())


@pytest.mark.parametrize("data", [varint(number)[:-1] for number in (2**7, 2**14, 2**21, 2**28)])
def test_truncated_varint_of_a_length_is_an_error(data: bytes) -> None:
    with pytest.raises(InvalidProtobufError, match="ends within a message"):
        read_protobuf(data)


# Field 1 is a message, field 3 of that a double, field 15 a message with strings, 7 is none; 1 << 3 | 2 is 0x0A.
@pytest.mark.parametrize(
    "message",
    [
        pytest.param(b"\x80", id="a truncated tag"),
        pytest.param(b"\x38\x80", id="a truncated varint"),
        pytest.param(b"\x38" + b"\xff" * 11, id="a varint of too many bytes"),
        pytest.param(b"\x0a\x80", id="a truncated length"),
        pytest.param(b"\x0a" + varint(2**31 - 1), id="a length beyond the message"),
        pytest.param(b"\x0a" + varint(2**63), id="a length of 2^63"),
        pytest.param(b"\x7a" + delimited(b"\x0a" + varint(2**63)), id="a length of 2^63, further in"),
        pytest.param(b"\x0a" + delimited(b"\x19\x00"), id="half a double"),
        pytest.param(b"\x7a" + delimited(b"\x12\x01\xff"), id="a string that is no UTF-8"),
        pytest.param(b"\x3c", id="the end of no group"),
        pytest.param(b"\x00", id="field zero"),
    ],
)
def test_message_that_is_none_is_an_error(message: bytes) -> None:
    with pytest.raises(InvalidProtobufError, match="no OpenResponsesStreamEvent"):
        read_protobuf(delimited(message))


@pytest.mark.parametrize("message", [b"", varint(100 << 3) + b"\x01"], ids=["nothing", "a field that is none"])
def test_message_without_an_event_is_read_and_has_no_json(message: bytes) -> None:
    (event,) = read_protobuf(delimited(message))
    assert delimited(event.SerializeToString()) == delimited(message)
    with pytest.raises(IncompleteEventError, match="no event is set"):
        to_json(event)
    check_writing([event])
