"""Readers and writers of event streams: what is written is read back, wherever the chunks are cut."""

import io
import itertools

import pytest
from google.protobuf import proto
from hypothesis import given
from hypothesis import strategies as st

from openresponses.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc import EventError, InvalidJSONError, InvalidProtobufError, from_json
from openresponses_grpc.framing import (
    FORMATS,
    EventWriter,
    NDJSONReader,
    NDJSONWriter,
    ProtobufReader,
    SSEReader,
    SSEWriter,
    read_events,
)

from .events import GENERATING_JSON, event

EVENTS = [
    event(0),
    event(1, padding=200),
    from_json(GENERATING_JSON[:-1] + b',"size":[1,\n2]}'),
    from_json('{"type":"other",\r\n "text":"\u2028 \\n é 😀"}'),
]


def written(name: str) -> bytes:
    writer = FORMATS[name].writer("camelCase")
    return b"".join(writer.write(EVENTS)) + writer.close()


def one(writer: EventWriter, made: OpenResponsesStreamEvent) -> bytes:
    return b"".join(writer.write([made]))


def chunks(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:stop] for start, stop in itertools.pairwise(edges)]


@pytest.mark.parametrize("name", FORMATS)
@given(st.lists(st.integers(min_value=0, max_value=2000), max_size=8))
def test_chunks_may_be_cut_anywhere(name: str, cuts: list[int]) -> None:
    reader = FORMATS[name].reader("camelCase", False)
    read = list(read_events(reader, chunks(written(name), cuts)))
    assert len(read) == len(EVENTS)
    # Line breaks between the tokens of raw JSON do not survive formats that end events with them.
    again = FORMATS[name].writer("camelCase")
    assert b"".join(again.write(read)) + again.close() == written(name)


@pytest.mark.parametrize("name", FORMATS)
def test_an_event_is_there_with_its_last_byte(name: str) -> None:
    reader = FORMATS[name].reader("camelCase", False)
    writer = FORMATS[name].writer("camelCase")
    for made in EVENTS:
        data = one(writer, made)
        assert [len(list(reader.feed(data[i : i + 1]))) for i in range(len(data))] == [0] * (len(data) - 1) + [1]


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_is_no_event(name: str) -> None:
    reader = FORMATS[name].reader("camelCase", False)
    assert list(read_events(reader, [b"", b""])) == []


def test_protobuf_is_what_protobuf_s_own_library_writes_and_reads() -> None:
    stream = io.BytesIO()
    for made in EVENTS:
        proto.serialize_length_prefixed(made, stream)
    assert stream.getvalue() == written("protobuf")
    stream.seek(0)
    read = [proto.parse_length_prefixed(OpenResponsesStreamEvent, stream) for _ in EVENTS]
    assert read == EVENTS == list(read_events(ProtobufReader(), [stream.getvalue()]))


def test_ndjson_lines_may_be_empty_or_end_with_cr_lf_or_the_input() -> None:
    data = b"\n \r\n" + GENERATING_JSON + b"\r\n\n" + b'{"type":"x"}\r\n' + GENERATING_JSON
    reader = NDJSONReader()
    first, second, third = read_events(reader, [data])
    assert first == third == from_json(GENERATING_JSON)
    assert second.unrecognized.json == '{"type":"x"}'
    assert reader.position == "line 6"


@pytest.mark.parametrize("made", EVENTS)
def test_ndjson_writes_one_line(made: OpenResponsesStreamEvent) -> None:
    line = one(NDJSONWriter(), made)
    assert (line.count(b"\n"), line.count(b"\r"), line[-1:]) == (1, 0, b"\n")


# The parsing rules of the HTML standard, 9.2.6: what is sent, and the events that are in it.
SSE = [
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
    (b"event: no data\n\n", 0),
    (b"data\n\ndata:\n\n", 0),
    (b"\n\n\n", 0),
    (b"DATA: EVENT\n\n data: EVENT\n\n", 0),
    (b"data: EVENT\n\ndata: [DONE]\n\n", 1),
    (b"data: EVENT\n\ndata: [DONE]", 1),
    (b"data: [DONE]\n\ndata: EVENT\n\n", 1),
]


@pytest.mark.parametrize("data, count", SSE)
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_sse_is_read_by_the_standard_s_rules(data: bytes, count: int, size: int) -> None:
    data = data.replace(b"EVENT", GENERATING_JSON)
    reader = SSEReader("camelCase")
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert list(read_events(reader, pieces)) == [from_json(GENERATING_JSON)] * count


def test_sse_data_may_stand_in_several_lines() -> None:
    data = b'data: {"type":\ndata:"x"\rdata\r\ndata: }\n\n'
    (read,) = read_events(SSEReader(), [data])
    assert read.unrecognized.json == '{"type":\n"x"\n\n}'


@pytest.mark.parametrize("end", [b"", b"\n", b"\ndata: [DONE]"])
def test_sse_that_is_cut_off_within_an_event_is_an_error(end: bytes) -> None:
    reader = SSEReader("camelCase")
    events = read_events(reader, [b"data: " + GENERATING_JSON + b"\n\ndata: " + GENERATING_JSON + end])
    assert next(events) == from_json(GENERATING_JSON)
    with pytest.raises(InvalidJSONError, match="ends within an event"):
        next(events)
    assert reader.position == "line 3"


def test_sse_error_names_the_line_where_the_data_begin() -> None:
    reader = SSEReader()
    with pytest.raises(InvalidJSONError):
        list(read_events(reader, [b": hello\n\nevent: x\ndata: {\ndata: }x\n\n"]))
    assert reader.position == "line 4"


def test_sse_is_written_as_openai_s_and_openrouter_s_clients_read_it() -> None:
    writer = SSEWriter()
    snake = (
        b'{"type":"response.image_generation_call.generating","item_id":"ig_","output_index":0.5,"sequence_number":0}'
    )
    assert one(writer, event(0)) == b"event: response.image_generation_call.generating\ndata: " + snake + b"\n\n"
    assert one(writer, from_json('{"type":"é",\r\n"n":1}')) == 'event: é\ndata: {"type":"é",  "n":1}\n\n'.encode()
    assert one(writer, from_json(r'{"type":"a\nb"}')) == rb'data: {"type":"a\nb"}' + b"\n\n"
    assert writer.close() == b"data: [DONE]\n\n"


def test_ndjson_error_names_the_line() -> None:
    reader = NDJSONReader(strict=True)
    wrong = GENERATING_JSON.replace(b"7977.54", b'"x"')
    with pytest.raises(EventError, match=r"^\$\.outputIndex: "):
        list(read_events(reader, [GENERATING_JSON + b"\n\n" + wrong + b"\n"]))
    assert reader.position == "line 3"


@pytest.mark.parametrize(
    "data, position, problem",
    [
        (b"\x02\x0a", "message 2", "within"),
        (b"\x80", "message 2", "within"),
        (b"\x02\xff\xff", "message 2", "no OpenResponsesStreamEvent"),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "message 2", "no length of a message"),
        (b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", "message 2", "no length of a message"),
        (b"\x80" * 11, "message 2", "no length of a message"),
        (b"\x80\x80\x80\x80\x08", "message 2", "no length of a message"),
    ],
)
def test_protobuf_that_is_none_is_an_error_with_its_place(data: bytes, position: str, problem: str) -> None:
    reader = ProtobufReader()
    good = event(0).SerializeToString()
    with pytest.raises(InvalidProtobufError, match=problem):
        list(read_events(reader, [bytes([len(good)]) + good + data]))
    assert reader.position == position


def test_what_comes_before_an_error_is_read() -> None:
    reader = NDJSONReader()
    events = reader.feed(GENERATING_JSON + b"\n{\n")
    assert next(events) == from_json(GENERATING_JSON)
    with pytest.raises(InvalidJSONError):
        next(events)
