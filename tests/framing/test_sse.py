"""SSE reader and writer."""

from functools import partial

import pytest

from openresponses_grpc import InvalidJSONError, UnknownEventTypeError, json_to_protobuf, protobuf_to_json
from openresponses_grpc.framing import NDJSONWriter, SSEReader, SSEWriter, read_events
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from ..support.events import GENERATING_JSON, event
from ..support.mixed_stream import MIXED, mixed_stream

GENERATING = json_to_protobuf(GENERATING_JSON)

# The parsing rules of the HTML standard, 9.2.6: an input, and the number of its events.
STANDARD = [
    (b"data: EVENT\n\n", 1),
    (b"data:EVENT\n\n", 1),
    (b"data:  EVENT \n\n", 1),
    (b"\xef\xbb\xbfdata: EVENT\n\n", 1),
    (b"data: EVENT\r\n\r\n", 1),
    (b"data: EVENT\r\r", 1),
    (b"data: EVENT\n\r\n", 1),
    (b"data: EVENT\n\ndata: EVENT\n\n", 2),
    (b"event: x\nid: 7\nretry: 10\nunknown: y\nnothing\ndata: EVENT\n\n", 1),
    (b"data: EVENT\nevent: after\n\n", 1),
    (b": OPENROUTER PROCESSING\n\n:\n\ndata: EVENT\n\n", 1),
    (b"event: no data\n\ndata: EVENT\n\n", 1),
    (b"data\n\ndata:\n\n", 0),
    (b"\n\n\n", 0),
    (b"DATA: EVENT\n\n data: EVENT\n\ndata: EVENT\n\n", 1),
    (b"data: EVENT\n\ndata: [DONE]\n\n", 1),
    (b"data: EVENT\n\ndata: [DONE]", 1),
    (b"data: [DONE]\n\ndata: EVENT\n\n", 1),
    (b"data: EVENT\n\ndata:  [DONE] \t\n\n", 1),
    (b"data: EVENT\n\ndata: [DONE] ", 1),
    (b'data: EVENT\n\ndata: "[DONE]"\n\n', 1),
    (b"data: EVENT\n\ndata: ' [DONE] '", 1),
    (b": no event\n\ndata: [DONE]\n\n", 0),
]


@pytest.mark.parametrize("data, count", STANDARD)
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_reader_follows_the_standard(data: bytes, count: int, size: int) -> None:
    data = data.replace(b"EVENT", GENERATING_JSON)
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    assert list(read_events(SSEReader(), chunks)) == [GENERATING] * count


def test_joins_data_of_several_lines() -> None:
    data = b'data: {"type":\ndata:"x"\rdata\r\ndata: }\n\n'
    (read,) = read_events(SSEReader(), [data])
    assert protobuf_to_json(read) == b'{"type": "x"  }'


# An event name, JSON, and the `type` of the message, or None if it is unset.
NAMES = [
    ("ping", '{"a":1}', "ping"),
    ("ping", "{}", "ping"),
    ("ping", '{"type":null,"a":1}', "ping"),
    ("ping", '{"type":["x"]}', "ping"),
    ("ping", '{"type":"x"}', "x"),
    ("ping", '{"type":""}', ""),
    ("é", '{"a":1}', "é"),
    ("response.output_text.delta", '{"delta":"d"}', "response.output_text.delta"),
    ("", '{"a":1}', None),
]


@pytest.mark.parametrize("name, json, type", NAMES)
def test_event_name_replaces_missing_type(name: str, json: str, type: str | None) -> None:
    (read,) = read_events(SSEReader(), [f"event: {name}\ndata: {json}\n\n".encode()])
    # The name of a typed event does not make the event typed: serialization would add a `type`.
    message = OpenResponsesStreamEvent.FromString(read)
    assert message.WhichOneof("kind") == "unrecognized"
    assert message.unrecognized.json == json
    assert (message.unrecognized.type if message.unrecognized.HasField("type") else None) == type
    assert b"".join(NDJSONWriter().write([read])) == json.encode() + b"\n"
    line = f"event: {type}\n" if type else ""
    assert b"".join(SSEWriter().write([read])) == f"{line}data: {json}\n\n".encode()


def test_event_name_does_not_override_type() -> None:
    assert list(read_events(SSEReader(), [b"event: ping\ndata: %b\n\n" % GENERATING_JSON])) == [GENERATING]


def test_event_name_applies_to_one_event() -> None:
    data = b"event: a\nevent: b\ndata: {}\n\ndata: {}\n\nevent: c\n\ndata: {}\n\n"
    read = [OpenResponsesStreamEvent.FromString(made) for made in read_events(SSEReader(), [data])]
    assert [made.unrecognized.type for made in read] == ["b", "", ""]


def test_strict_parsing_ignores_event_name() -> None:
    reader = SSEReader(partial(json_to_protobuf, strict=True))
    with pytest.raises(UnknownEventTypeError, match=r"^\$\.type: a required property is missing"):
        list(read_events(reader, [b'event: error\ndata: {"message":"m"}\n\n']))


@pytest.mark.parametrize("end", [b"", b"\n", b"\ndata: [DONE]"])
def test_rejects_truncated_event(end: bytes) -> None:
    reader = SSEReader()
    events = read_events(reader, [b"data: %b\n\ndata: %b" % (GENERATING_JSON, GENERATING_JSON) + end])
    assert next(events) == GENERATING
    with pytest.raises(InvalidJSONError, match="ends within an event"):
        next(events)
    assert reader.position == "line 3"


def test_error_has_first_line_of_the_data() -> None:
    reader = SSEReader()
    with pytest.raises(InvalidJSONError):
        list(read_events(reader, [b": hello\n\nevent: x\ndata: {\ndata: }x\n\n"]))
    assert reader.position == "line 4"


def test_writes_snake_case_by_default() -> None:
    events = [json_to_protobuf(line) for line in MIXED["camelCase"]]
    writer = SSEWriter()
    assert b"".join(writer.write(events)) + writer.close() == mixed_stream("sse", "snake_case")


def test_writes_image_event_like_the_api() -> None:
    assert b"".join(SSEWriter().write([event(0).SerializeToString()])) == (
        b"event: response.image_generation_call.generating\n"
        b'data: {"type":"response.image_generation_call.generating","item_id":"ig_","output_index":0.5,'
        b'"sequence_number":0}\n\n'
    )


# JSON, and the event name in the output, or None.
WRITTEN_NAMES = [
    ('{"type":"x"}', "x"),
    ('{"a":1,"type":"x"}', "x"),
    ('{"type":"é"}', "é"),
    (r'{"type":"\u00e9"}', "é"),
    ('{"type":"a","type":"b"}', "b"),
    (r'{"type":"x","a":"\ud83d"}', "x"),
    (r'{"type":"response.output_text.delta","delta":"\ud83d"}', "response.output_text.delta"),
    ('{"type":"response.output_text.delta","a":1e999}', "response.output_text.delta"),
    (r'{"type":"a\nb"}', None),
    (r'{"type":"a\rb"}', None),
    (r'{"type":"\ud83d"}', None),
    ('{"type":1}', None),
    ("{}", None),
]


@pytest.mark.parametrize("json, name", WRITTEN_NAMES)
def test_writes_type_as_event_name(json: str, name: str | None) -> None:
    line = f"event: {name}\n" if name else ""
    data = b"".join(SSEWriter().write([json_to_protobuf(json)]))
    assert data == f"{line}data: {json}\n\n".encode()
    assert list(read_events(SSEReader(), [data])) == [json_to_protobuf(json)]
