"""Readers and writers of every stream format."""

import itertools
from collections.abc import Iterable, Iterator
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openresponses_grpc import IncompleteEventError, from_json, json_to_protobuf, protobuf_to_json
from openresponses_grpc.codec._schema import NAMINGS, Naming
from openresponses_grpc.framing import FORMATS, EventReader, EventWriter, read_events

from ..support.mixed_stream import MIXED, mixed_stream

EVENTS = [json_to_protobuf(line) for line in MIXED["camelCase"]]

formats = pytest.mark.parametrize("name", FORMATS)


def reader_of(name: str) -> EventReader:
    return FORMATS[name].reader(json_to_protobuf)


def writer_of(name: str, naming: Naming = "camelCase") -> EventWriter:
    return FORMATS[name].writer(partial(protobuf_to_json, naming=naming))


def written(writer: EventWriter, events: Iterable[bytes]) -> bytes:
    return b"".join(writer.write(events)) + writer.close()


@formats
@pytest.mark.parametrize("naming", NAMINGS)
def test_writes_the_mixed_stream(name: str, naming: Naming) -> None:
    assert written(writer_of(name, naming), EVENTS) == mixed_stream(name, naming)


@formats
@pytest.mark.parametrize("naming", NAMINGS)
@given(st.lists(st.integers(0, 10_000), max_size=8))
def test_reads_chunks_cut_anywhere(name: str, naming: Naming, cuts: list[int]) -> None:
    data = mixed_stream(name, naming)
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    chunks = [data[start:stop] for start, stop in itertools.pairwise(edges)]
    assert list(read_events(reader_of(name), chunks)) == EVENTS


@formats
def test_yields_event_with_its_last_byte(name: str) -> None:
    reader, writer = reader_of(name), writer_of(name)
    for made in EVENTS:
        data = b"".join(writer.write([made]))
        read = [list(reader.feed(data[at : at + 1])) for at in range(len(data))]
        assert read == [[]] * (len(data) - 1) + [[made]]


@formats
def test_empty_input_yields_no_events(name: str) -> None:
    assert list(read_events(reader_of(name), [b"", b""])) == []


@formats
def test_writer_without_events_writes_only_the_end(name: str) -> None:
    assert written(writer_of(name), []) == (b"data: [DONE]\n\n" if name == "sse" else b"")


@formats
def test_writes_events_before_an_error_of_the_source(name: str) -> None:
    def source() -> Iterator[bytes]:
        yield from EVENTS[:2]
        raise ZeroDivisionError

    parts = []
    with pytest.raises(ZeroDivisionError):
        for part in writer_of(name).write(source()):
            parts.append(part)  # noqa: PERF402 - keep the parts before the error
    assert b"".join(parts) == b"".join(writer_of(name).write(EVENTS[:2]))


@pytest.mark.parametrize("name", ["ndjson", "sse"])
def test_writes_events_before_one_without_json(name: str) -> None:
    parts = []
    with pytest.raises(IncompleteEventError):
        for part in writer_of(name).write([*EVENTS[:2], b"", *EVENTS]):
            parts.append(part)  # noqa: PERF402 - keep the parts before the error
    assert b"".join(parts) == b"".join(writer_of(name).write(EVENTS[:2]))


@pytest.mark.parametrize("name, frame", [("ndjson", b"%b\n"), ("sse", b"data: %b\n\n")])
def test_json_formats_use_the_given_codec(name: str, frame: bytes) -> None:
    reader = FORMATS[name].reader(lambda data, **arguments: b"decoded " + data)
    assert list(read_events(reader, [frame % b"x"])) == [b"decoded x"]
    writer = FORMATS[name].writer(lambda event: b'{"bytes":%d}' % len(event))
    event = json_to_protobuf('{"a":1}')
    assert b"".join(writer.write([event])) == frame % b'{"bytes":%d}' % len(event)


def test_line_ends_in_json_text_are_written_as_spaces() -> None:
    # The codec replaces them when it parses JSON. Programs in other languages may store any JSON text in a message.
    unrecognized, error = from_json("{}"), from_json('{"type":"error"}')
    unrecognized.unrecognized.json = '{"type":"x",\r\n"text":"\u2028 \\n",\r"n":\n1}'
    error.error.extra_json = '{\r\n"a":[1,\r2],"b":\n{\n}\n}'
    for made, line in (
        (unrecognized, '{"type":"x",  "text":"\u2028 \\n", "n": 1}'.encode()),
        (error, b'{"type":"error","a":[1, 2],"b":{ }}'),
    ):
        assert written(writer_of("ndjson"), [made.SerializeToString()]) == line + b"\n"
        assert b"\ndata: %b\n\n" % line in written(writer_of("sse"), [made.SerializeToString()])
