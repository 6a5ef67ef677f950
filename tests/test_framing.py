"""Readers and writers of event streams: what is written is read back, wherever the chunks are cut."""

import io
import itertools

import pytest
from google.protobuf import proto
from hypothesis import given
from hypothesis import strategies as st
from openresponses.v1.events_pb2 import OpenResponsesStreamEvent

from openresponses_grpc import EventError, InvalidJSONError, InvalidProtobufError, from_json
from openresponses_grpc.framing import FORMATS, NDJSONReader, NDJSONWriter, ProtobufReader, read_events

from .events import GENERATING_JSON, event

EVENTS = [
    event(0),
    event(1, padding=200),
    from_json(GENERATING_JSON[:-1] + b',"size":[1,\n2]}'),
    from_json('{"type":"other",\r\n "text":"\u2028 \\n é 😀"}'),
]


def written(name: str) -> bytes:
    writer = FORMATS[name].writer("camelCase")
    return b"".join(writer.write(made) for made in EVENTS) + writer.close()


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
    assert b"".join(map(again.write, read)) + again.close() == written(name)


@pytest.mark.parametrize("name", FORMATS)
def test_an_event_is_there_with_its_last_byte(name: str) -> None:
    reader = FORMATS[name].reader("camelCase", False)
    writer = FORMATS[name].writer("camelCase")
    for made in EVENTS:
        data = writer.write(made)
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
    assert NDJSONWriter().write(made).splitlines(keepends=True)[0].count(b"\n") == 1
    assert NDJSONWriter().write(made).count(b"\n") == 1
    assert b"\r" not in NDJSONWriter().write(made)


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
        (b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "message 2", "no message is longer"),
        (b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", "message 2", "no message is longer"),
        (b"\x80" * 11, "message 2", "no message is longer"),
        (b"\x80\x80\x80\x80\x08", "message 2", "no message is longer"),
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
