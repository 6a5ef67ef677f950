"""Deeply nested JSON: 100 levels are accepted, and more are an error."""

import pytest

from openresponses_grpc import (
    IncompleteEventError,
    InvalidJSONError,
    InvalidProtobufError,
    from_json,
    json_to_protobuf,
    protobuf_to_json,
    to_dict,
    to_json,
)
from openresponses_grpc.framing import ProtobufReader, read_events
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from ..support.damage import delimited
from ..support.stream_properties import check_writing, read

DEEP = 100_000
NESTED = {
    "arrays": b"[" * DEEP + b"]" * DEEP,
    "objects": b'{"":' * DEEP + b"0" + b"}" * DEEP,
    "open arrays": b"[" * DEEP,
    "open objects": b'{"":' * DEEP,
}
# The JSON before and after a nested value, and the number of levels around it.
PLACES = {
    "unrecognized event": (b'{"type":"x","y":', b"}", 1),
    "event without type": (b'{"y":', b"}", 1),
    "unknown property": (b'{"type":"response.output_text.delta","item_id":"m","y":', b"}", 1),
    "wrong type": (b'{"type":"response.output_text.delta","output_index":', b',"delta":""}', 1),
    "unrecognized item": (b'{"type":"response.output_item.added","item":{"type":"x","y":', b"}}", 2),
    "element of a list": (b'{"type":"response.output_text.delta","logprobs":[{"token":', b"},{}]}", 3),
    "JSON text": (b'{"type":"response.completed","response":{"moderation":', b"}}", 2),
    "map": (b'{"type":"response.created","response":{"metadata":{"a":', b',"b":"c"}}}', 3),
}

json_readers = pytest.mark.parametrize("reader", ["json", "ndjson", "sse"])
places = pytest.mark.parametrize("place", PLACES)


def read_json(reader: str, data: bytes) -> bytes:
    """Reads one event as bare JSON, as a line of NDJSON or as a server-sent event."""
    if reader == "json":
        return json_to_protobuf(data)
    (event,), _ = read(reader, [data + b"\n" if reader == "ndjson" else b"data: %b\n\n" % data])
    return event


def assert_rejected(reader: str, data: bytes) -> None:
    """Asserts that reading the event fails, lenient and strict."""
    for strict in (False, True):
        if reader == "json":
            with pytest.raises(InvalidJSONError, match="100 levels deep"):
                json_to_protobuf(data, strict=strict)
        else:
            stream = data + b"\n" if reader == "ndjson" else b"data: %b\n\n" % data
            end = "InvalidJSONError at line 1: $: nested more than 100 levels deep"
            assert read(reader, [stream], strict) == ([], end)


@json_readers
@places
@pytest.mark.parametrize("nested", NESTED)
def test_rejects_100_000_levels(reader: str, place: str, nested: str) -> None:
    before, after, _ = PLACES[place]
    assert_rejected(reader, before + NESTED[nested] + after)


@json_readers
@pytest.mark.parametrize("nested", NESTED)
def test_rejects_100_000_levels_outside_an_event(reader: str, nested: str) -> None:
    assert_rejected(reader, NESTED[nested])


@json_readers
@places
@pytest.mark.parametrize("start, middle, end", [(b"[", b"", b"]"), (b'{"a":', b"0", b"}")], ids=["arrays", "objects"])
def test_accepts_100_levels_and_rejects_101(reader: str, place: str, start: bytes, middle: bytes, end: bytes) -> None:
    before, after, levels = PLACES[place]
    text = before + start * (100 - levels) + middle + end * (100 - levels) + after
    event = read_json(reader, text)
    assert protobuf_to_json(event, naming="snake_case") == text
    assert json_to_protobuf(protobuf_to_json(event)) == event
    levels -= 1
    assert_rejected(reader, before + start * (100 - levels) + middle + end * (100 - levels) + after)


@json_readers
@places
@pytest.mark.parametrize("string", [b"[" * DEEP, b"{" * DEEP, b'\\"[\\\\' * DEEP], ids=["arrays", "objects", "quotes"])
def test_brackets_in_strings_do_not_count_as_levels(reader: str, place: str, string: bytes) -> None:
    before, after, levels = PLACES[place]
    count = 100 - levels
    text = before + b"[" * count + b'"%b"' % string + b"]" * count + after
    assert protobuf_to_json(read_json(reader, text), naming="snake_case") == text


@json_readers
@pytest.mark.parametrize("escape", [b'\\"', b"\\\\", b"\\"])
def test_rejects_unterminated_string_with_many_escapes(reader: str, escape: bytes) -> None:
    # A regular expression that backtracks at each quote would take hours.
    data = b'{"type":"x","y":"' + b"[" * 200 + escape * DEEP
    if reader == "json":
        with pytest.raises(InvalidJSONError):
            json_to_protobuf(data)
    else:
        events, end = read(reader, [data + b"\n" if reader == "ndjson" else b"data: %b\n\n" % data])
        assert (events, end[:26]) == ([], "InvalidJSONError at line 1")


# JSON text in messages.


def reasoning(extra_json: str) -> OpenResponsesStreamEvent:
    """An event with JSON text in its item."""
    event = from_json('{"type":"response.output_item.added","item":{"type":"reasoning"}}')
    event.output_item_added.item.reasoning.extra_json = extra_json
    return event


def test_message_with_deep_json_text_parses_but_cannot_be_serialized() -> None:
    text = '{"y":' + "[" * DEEP + "]" * DEEP + "}"
    unrecognized = from_json("{}")
    unrecognized.unrecognized.json = text
    for event in (unrecognized, reasoning(text)):
        data = event.SerializeToString()
        assert list(read_events(ProtobufReader(), [delimited(data)])) == [data]
        for write in (to_json, to_dict):
            with pytest.raises(IncompleteEventError, match="100 levels deep"):
                write(event)
        check_writing([data])


def test_levels_of_message_and_its_json_text_add_up() -> None:
    fits, too_deep = (reasoning('{"y":' + "[" * count + "]" * count + "}") for count in (98, 99))
    assert from_json(to_json(fits)) == fits
    with pytest.raises(IncompleteEventError, match="100 levels deep"):
        to_json(too_deep)


@pytest.mark.parametrize("nested", [b"\x3b" * DEEP + b"\x3c" * DEEP, b"\x3b" * DEEP], ids=["closed", "open"])
def test_rejects_deeply_nested_unknown_groups(nested: bytes) -> None:
    with pytest.raises(InvalidProtobufError, match="not an OpenResponsesStreamEvent"):
        list(read_events(ProtobufReader(), [delimited(nested)]))
