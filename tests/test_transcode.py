"""Transcoding is reading and writing: the same bytes, the same error at the same place, wherever the chunks are cut."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openresponses.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc import EventError, from_json, to_json
from openresponses_grpc.codec import contract
from openresponses_grpc.framing import FORMATS, EventReader, EventWriter, transcode
from openresponses_grpc.framing.bulk import frame_lines, print_lines
from openresponses_grpc.framing.varint import VARINTS

from .events import COMPLETED_JSON, GENERATING_JSON, event

INCOMPLETE = OpenResponsesStreamEvent()
INCOMPLETE.image_generation_call_completed.item_id = "ig_1"
NAN = event(0)
NAN.image_generation_call_generating.output_index = float("nan")

LINES = [
    GENERATING_JSON,
    COMPLETED_JSON,
    GENERATING_JSON.replace(b"7977.54", b"-0"),
    GENERATING_JSON.replace(b"7977.54", b" -1e-400"),
    GENERATING_JSON.replace(b"<id>", b"a-0:-0"),
    GENERATING_JSON.replace(b"<id>", "é\u2028😀".encode()),
    GENERATING_JSON.replace(b"<id>", b"x" * 20_000),
    GENERATING_JSON + b"\r",
    b" " + GENERATING_JSON + b" ",
    b"",
    b" \r",
    GENERATING_JSON[:-1] + b',"size":[1]}',
    b'{"type":"other","text":"}\\n{"}',
    GENERATING_JSON.replace(b"7977.54", b'"x"'),
    GENERATING_JSON + b" " + COMPLETED_JSON,
    GENERATING_JSON + b" " + COMPLETED_JSON[:40],
    COMPLETED_JSON[40:],
    GENERATING_JSON[:40] + b"\n" + GENERATING_JSON[40:],
    b"{\n" + GENERATING_JSON[1:],
    GENERATING_JSON.replace(b"<id>", b"\xff"),
    b"{}",
    b"[" * 5000,
]
MESSAGES = [
    event(0).SerializeToString(),
    event(1, padding=1000).SerializeToString(),
    event(2, padding=100_000).SerializeToString(),
    from_json(COMPLETED_JSON).SerializeToString(),
    from_json(GENERATING_JSON[:-1] + b',"size":[1,\n2]}').SerializeToString(),
    from_json(b'{"type":"other",\n"n":1}').SerializeToString(),
    event(3).SerializeToString() + from_json(COMPLETED_JSON).SerializeToString(),
    event(3).SerializeToString() * 2,
    b"",
    b"\x0a\x00",
    b"\x0a",
    b"\x0a\x80\x00",
    b"\x0a\x05\x0a",
    b"\xa2\x06\x03abc",
    b"\xff\xff",
    INCOMPLETE.SerializeToString(),
    NAN.SerializeToString(),
]


def framed(messages: list[bytes]) -> bytes:
    return b"".join(VARINTS[len(message)] + message for message in messages)


def plainly(reader: EventReader, writer: EventWriter, chunk: bytes) -> Iterator[bytes]:
    return writer.write(reader.feed(chunk))


def converted(
    how: Callable[[EventReader, EventWriter, bytes], Iterator[bytes]],
    source: str,
    target: str,
    chunks: list[bytes],
    strict: bool,
) -> tuple[bytes, str, str]:
    """What is written, the error if there is one, and where reading has stopped."""
    reader, writer = FORMATS[source].reader("camelCase", strict), FORMATS[target].writer("camelCase")
    written = b""
    try:
        for chunk in chunks:
            for part in how(reader, writer, chunk):
                written += part
        for part in writer.write(reader.close()):
            written += part
    except EventError as error:
        return written, f"{type(error).__name__} {error}", reader.position
    return written, "", reader.position


def check(source: str, target: str, data: bytes, size: int, strict: bool = False) -> None:
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    assert converted(transcode, source, target, chunks, strict) == converted(plainly, source, target, chunks, strict)


@pytest.mark.parametrize("line", LINES, ids=lambda line: repr(line[:60]))
@pytest.mark.parametrize("strict", [True, False])
def test_each_line_beside_usual_ones(line: bytes, strict: bool) -> None:
    for lines in ([line], [GENERATING_JSON, line, COMPLETED_JSON], [line, COMPLETED_JSON, line]):
        for end in (b"", b"\n"):
            check("ndjson", "protobuf", b"\n".join(lines) + end, 1 << 20, strict)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: repr(message[:20]))
def test_each_message_beside_usual_ones(message: bytes) -> None:
    usual = MESSAGES[0]
    for messages in ([message], [usual, message, usual], [message, usual, message]):
        data = framed(messages)
        for cut in (data, data[:-1], data + b"\x80", data + b"\xff" * 9 + b"\x7f"):
            check("protobuf", "ndjson", cut, 1 << 20)


def test_a_field_too_many_here_does_not_stand_in_for_one_missing_there() -> None:
    item_id, output_index, sequence_number = b"\x0a\x02ig", b"\x11" + bytes(8), b"\x19" + bytes(8)
    fields = [item_id + output_index * 2, item_id + sequence_number * 2]
    messages = [b"\x0a" + VARINTS[len(message)] + message for message in fields]
    for pair in (messages, messages[::-1]):
        check("protobuf", "ndjson", framed(pair), 1 << 20)


def test_an_event_that_is_cut_off_does_not_take_the_next_one_for_its_rest() -> None:
    whole = event(0).SerializeToString()
    rest = whole[2:]  # begins with its first field's tag, which is that of an event, too
    assert rest[:1] == whole[:1]
    check("protobuf", "ndjson", framed([whole[:2], rest, whole]), 1 << 20)
    check("protobuf", "ndjson", framed([whole, whole[:2], rest + whole]), 1 << 20)


def test_usual_events_go_in_bulk_and_come_out_as_they_were() -> None:
    events = [made for n in range(2000) for made in (event(n), from_json(COMPLETED_JSON))]
    lines = b"".join(to_json(made) + b"\n" for made in events)
    messages = [made.SerializeToString() for made in events]
    assert frame_lines(lines, contract("camelCase")) == (framed(messages), len(messages))
    assert print_lines(framed(messages), contract("camelCase")) == (lines, len(messages), len(framed(messages)))


@given(st.lists(st.integers(0, 12), max_size=12), st.integers(1, 400), st.booleans())
def test_lines_in_any_chunks(picked: list[int], size: int, strict: bool) -> None:
    check("ndjson", "protobuf", b"\n".join(LINES[number] for number in picked), size, strict)


@given(st.lists(st.integers(0, len(MESSAGES) - 1), max_size=12), st.integers(1, 400))
def test_messages_in_any_chunks(picked: list[int], size: int) -> None:
    check("protobuf", "ndjson", framed([MESSAGES[number] for number in picked]), size)


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("target", FORMATS)
def test_every_pair_of_formats(source: str, target: str) -> None:
    writer = FORMATS[source].writer("camelCase")
    data = b"".join(writer.write([event(n, padding=n) for n in range(200)])) + writer.close()
    check(source, target, data, 1000, strict=True)
