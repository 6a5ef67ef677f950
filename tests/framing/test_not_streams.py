"""Errors for input in another format, skipped errors, terminal events and format detection."""

from pathlib import Path

import pytest

from openresponses_grpc import EventError, json_to_protobuf
from openresponses_grpc.framing import FORMATS, TERMINAL_TYPES, guess_format, is_enough, is_terminal, read_events

from ..support.events import GENERATING_JSON
from ..support.mixed_stream import mixed_stream
from ..support.not_streams import BOM, NDJSON, NOT_STREAMS, PRETTY, SSE, NotAStream

GENERATING = json_to_protobuf(GENERATING_JSON)
SAMPLE = Path(__file__).parents[2] / "examples" / "response.ndjson"

not_streams = pytest.mark.parametrize("case", NOT_STREAMS.values(), ids=NOT_STREAMS.keys())


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@not_streams
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_error_describes_the_input(case: NotAStream, size: int) -> None:
    reader = FORMATS[case.format].reader(json_to_protobuf)
    events = []
    with pytest.raises(EventError) as caught:
        for event in read_events(reader, cut(case.data, size)):
            events.append(event)  # noqa: PERF402 - keep the events before the error
    assert events == [GENERATING] * case.events
    assert reader.position == f"{'message' if case.format == 'protobuf' else 'line'} {case.line}"
    assert case.says in caught.value.problem
    assert "\n" not in str(caught.value)


# Inputs with an invalid event between two valid ones, the number of reported errors, and the position of the last one.
SKIPPED = [
    ("ndjson", NDJSON + b"oops\n" + NDJSON, 1, "line 2"),
    ("ndjson", NDJSON + PRETTY.replace(b"}", b"") + NDJSON, 5, "line 6"),
    ("ndjson", NDJSON + BOM + NDJSON + NDJSON, 1, "line 2"),
    ("sse", SSE + b"event: error\ndata: oops\n\n" + SSE, 1, "line 5"),
    ("sse", SSE + b'data: {"n":-Infinity}\n\n' + SSE, 1, "line 4"),
    ("sse", SSE + b'{"error":\n{}}\n' + SSE, 1, "line 4"),
    ("sse", SSE + b"{\n" + SSE, 1, "line 4"),
    ("sse", SSE + SSE + b"data: {", 1, "line 7"),
    ("protobuf", b"%c%b\1\7%c%b" % (len(GENERATING), GENERATING, len(GENERATING), GENERATING), 1, "message 2"),
]


@pytest.mark.parametrize("name, data, count, position", SKIPPED)
def test_reader_skips_invalid_events(name: str, data: bytes, count: int, position: str) -> None:
    reader = FORMATS[name].reader(json_to_protobuf)
    positions = []
    reader.on_error = lambda error: positions.append(reader.position)
    assert list(read_events(reader, [data])) == [GENERATING] * 2
    assert (len(positions), positions[-1]) == (count, position)


@pytest.mark.parametrize("name, data", [("ndjson", NDJSON), ("sse", SSE)])
def test_skips_byte_order_mark_at_the_start(name: str, data: bytes) -> None:
    for size in (1, 2, 1000):
        reader = FORMATS[name].reader(json_to_protobuf)
        assert list(read_events(reader, cut(BOM + data, size))) == [GENERATING]


DONE = [(b"data: [DONE]\n\n", True), (b'data: "[DONE]"', True), (b"", False), (b": [DONE]\n\n", False)]


@pytest.mark.parametrize("end, done", DONE)
def test_sse_reader_reports_done_marker(end: bytes, done: bool) -> None:
    reader = FORMATS["sse"].reader(json_to_protobuf)
    assert list(read_events(reader, [SSE + end])) == [GENERATING]
    assert reader.done == done


TERMINAL = [
    *((f'{{"type":"{name}"}}', None, True) for name in TERMINAL_TYPES),
    ('{"type":"error","message":"m","more":1}', None, True),
    ('{"message":"m"}', "error", True),
    ('{"message":"m"}', "ping", False),
    ('{"error":{"message":"m"}}', None, False),
    ('{"type":"response.created"}', None, False),
    ('{"type":"response.output_text.delta","delta":"error"}', None, False),
    ('{"type":"response.cancelled"}', None, False),
]


@pytest.mark.parametrize("json, name, terminal", TERMINAL)
def test_terminal_events(json: str, name: str | None, terminal: bool) -> None:
    assert is_terminal(json_to_protobuf(json, sse_type=name)) == terminal


def test_only_the_last_event_of_a_response_is_terminal() -> None:
    *others, last = (is_terminal(json_to_protobuf(line)) for line in SAMPLE.read_bytes().splitlines())
    assert (any(others), last) == (False, True)


DETECTED = [
    *((name, mixed_stream(name, "camelCase")) for name in FORMATS),
    ("sse", BOM + SSE),
    ("sse", b"\n\n: hello\n\n" + SSE),
    ("sse", b"data:{}\n\n"),
    ("ndjson", BOM + NDJSON),
    ("ndjson", b"\n \n" + NDJSON),
    ("ndjson", b"{}\n"),
    ("ndjson", b""),
    *(("ndjson", case.data) for case in NOT_STREAMS.values() if case.format == "ndjson" and "--from" not in case.says),
    *(("protobuf", b"%c%b" % (len(event), event)) for event in (GENERATING, json_to_protobuf('{"a":1}'))),
    ("protobuf", b"\x00\x00"),
]


@pytest.mark.parametrize("name, data", DETECTED)
def test_detects_format_from_first_bytes(name: str, data: bytes) -> None:
    enough = next((data[:end] for end in range(len(data) + 1) if is_enough(data[:end])), data)
    assert guess_format(data) == guess_format(enough) == name
