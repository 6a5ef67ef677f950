"""Numbers with 5,000 digits, more than Python converts to an integer."""

import pytest

from openresponses_grpc import EventShapeError, IncompleteEventError, json_to_protobuf, protobuf_to_json, to_dict
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from ..support.events import GENERATING_JSON
from ..support.stream_properties import read

DIGITS = b"9" * 5000

json_readers = pytest.mark.parametrize("reader", ["json", "ndjson", "sse"])


def stream(reader: str, data: bytes) -> bytes:
    return data + b"\n" if reader == "ndjson" else b"data: %b\n\n" % data


def read_json(reader: str, data: bytes, strict: bool = False) -> OpenResponsesStreamEvent:
    """Reads one event as bare JSON, as a line of NDJSON or as a server-sent event."""
    if reader == "json":
        return OpenResponsesStreamEvent.FromString(json_to_protobuf(data, strict=strict))
    (event,), _ = read(reader, [stream(reader, data)], strict)
    return OpenResponsesStreamEvent.FromString(event)


@json_readers
@pytest.mark.parametrize("number", [DIGITS, b"-" + DIGITS, DIGITS + b".5"], ids=["integer", "negative", "fraction"])
def test_number_out_of_range_becomes_extra_and_fails_strict(reader: str, number: bytes) -> None:
    text = GENERATING_JSON.replace(b"7977.54", number)
    message = read_json(reader, text).image_generation_call_generating
    assert (message.HasField("output_index"), message.extra_json) == (False, f'{{"output_index":{number.decode()}}}')
    assert protobuf_to_json(json_to_protobuf(text)) == text
    if reader == "json":
        with pytest.raises(EventShapeError, match=r"^\$\.outputIndex: the number is outside the range"):
            json_to_protobuf(text, strict=True)
    else:
        events, end = read(reader, [stream(reader, text)], strict=True)
        assert (events, end.partition(": ")[0]) == ([], "EventShapeError at line 1")


@json_readers
@pytest.mark.parametrize("number, value", [(b"1" + b"0" * 5000 + b"e-5000", 1), (b"0." + b"0" * 5000 + b"1", 0)])
def test_long_number_within_range_sets_field(reader: str, number: bytes, value: int) -> None:
    for strict in (False, True):
        event = read_json(reader, GENERATING_JSON.replace(b"7977.54", number), strict)
        message = event.image_generation_call_generating
        assert (message.HasField("output_index"), message.output_index, message.extra_json) == (True, value, "")


@json_readers
@pytest.mark.parametrize(
    "before, after",
    [
        (b'{"type":"x","y":', b"}"),
        (GENERATING_JSON[:-1] + b',"size":', b"}"),
        (b'{"type":"response.completed","response":{"moderation":{"a":', b"}}}"),
        (b'{"type":"response.output_item.done","item":{"type":"x","y":[', b"]}}"),
    ],
    ids=["unrecognized", "unknown property", "JSON text", "item"],
)
def test_large_number_outside_fields_round_trips(reader: str, before: bytes, after: bytes) -> None:
    text = before + DIGITS + after
    event = read_json(reader, text)
    assert protobuf_to_json(event.SerializeToString()) == text
    with pytest.raises(IncompleteEventError, match="Python cannot represent"):  # json.loads rejects such an integer
        to_dict(event)


@json_readers
def test_large_number_as_type_round_trips(reader: str) -> None:
    text = b'{"type":%b}' % DIGITS
    event = read_json(reader, text)
    assert (event.unrecognized.HasField("type"), event.unrecognized.json) == (False, text.decode())


def test_sse_reader_ignores_large_numbers_in_other_fields() -> None:
    data = b"retry: %b\nid: %b\ndata: %b\n\n" % (DIGITS, DIGITS, GENERATING_JSON)
    assert read("sse", [data]) == ([json_to_protobuf(GENERATING_JSON)], "the end at line 3")
