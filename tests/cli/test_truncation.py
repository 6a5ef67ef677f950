"""Truncated input, and input that is not a stream, never become a complete response."""

import pytest

from openresponses_grpc import json_to_protobuf

from ..support.events import GENERATING_JSON
from ..support.not_streams import NDJSON, NOT_STREAMS, SSE, NotAStream
from .in_process import invoke, run
from .processes import started

EVENT = json_to_protobuf(GENERATING_JSON)
COMPLETED = b'{"type":"response.completed","sequenceNumber":1}\n'
DONE = b"data: [DONE]\n\n"
CUT_OFF = b"the input ends without a terminal event (response.completed, "

# A format, an input, and whether it is complete.
INPUTS = [
    ("ndjson", NDJSON + COMPLETED, True),
    ("ndjson", NDJSON + b'{"type":"error","message":"m"}\n', True),
    ("ndjson", COMPLETED + NDJSON, True),
    ("ndjson", NDJSON, False),
    ("ndjson", b"", False),
    ("ndjson", b"\n \n", False),
    ("sse", SSE + DONE, True),
    ("sse", SSE + b'data: "[DONE]"', True),
    ("sse", SSE + b'event: error\ndata: {"message":"m"}\n\n', True),
    ("sse", SSE, False),
    ("sse", b"", False),
    ("sse", DONE, False),
    ("protobuf", b"%c%b" % (len(EVENT), EVENT), False),
]


@pytest.mark.parametrize("source, data, complete", INPUTS)
async def test_publish_ends_the_stream_after_a_terminal_event_or_with_end(
    server: str, source: str, data: bytes, complete: bool
) -> None:
    code, _, stderr = await run("publish", "--server", server, "--from", source, "s", stdin=data)
    if complete:
        assert (code, stderr) == (0, b"")
    else:
        assert (code, stderr.count(b"\n")) == (1, 1)
        assert stderr.startswith(b"the input contains no events" if data.strip() in (b"", DONE.strip()) else CUT_OFF)
        assert stderr.endswith(b": stream 's' stays open; end it with --end\n")
        assert await run("publish", "--server", server, "--end", "s", stdin=b"") == (0, b"", b"")
    code, _, stderr = await run("publish", "--server", server, "s", stdin=COMPLETED)
    assert (code, b" ended at offset " in stderr) == (3, True)


async def test_events_before_a_truncation_are_stored(server: str) -> None:
    async with started("subscribe", "--server", server, "s") as subscriber:
        assert (await run("publish", "--server", server, "s", stdin=NDJSON * 2))[0] == 1
        assert await run("publish", "--server", server, "s", stdin=COMPLETED) == (0, b"", b"")
        assert await subscriber.communicate() == (NDJSON * 2 + COMPLETED, b"")


@pytest.mark.parametrize("case", NOT_STREAMS.values(), ids=NOT_STREAMS.keys())
def test_convert_reports_input_that_is_not_a_stream_in_one_line(case: NotAStream) -> None:
    code, stdout, stderr = invoke("convert", "--from", case.format, "--to", "ndjson", stdin=case.data)
    assert (code, stdout, stderr.count(b"\n")) == (1, NDJSON * case.events, 1)
    assert case.says.encode() in stderr


async def test_input_that_is_not_a_stream_leaves_the_stream_open(server: str) -> None:
    for case in NOT_STREAMS.values():
        if case.events == 0 and case.format == "sse":
            code, _, stderr = await run("publish", "--server", server, "--from", "sse", "s", stdin=case.data)
            assert (code, case.says.encode() in stderr) == (1, True)
    assert await run("publish", "--server", server, "s", stdin=COMPLETED) == (0, b"", b"")
    assert await run("subscribe", "--server", server, "s") == (0, COMPLETED, b"")


@pytest.mark.parametrize("source, data, complete", INPUTS)
def test_convert_to_sse_adds_done_only_to_complete_input(source: str, data: bytes, complete: bool) -> None:
    code, stdout, stderr = invoke("convert", "--from", source, "--to", "sse", stdin=data)
    if source == "sse" and not complete and data != DONE:
        assert (code, stdout.endswith(DONE)) == (1, False)
        assert stderr.startswith(CUT_OFF if data else b"the input contains no events")
    else:
        assert (code, stdout.endswith(DONE), stderr) == (0, complete or data == DONE, b"")


def test_convert_writes_the_events_of_truncated_sse() -> None:
    code, stdout, stderr = invoke("convert", "--from", "sse", "--to", "ndjson", stdin=SSE * 2)
    assert (code, stdout, stderr.startswith(CUT_OFF)) == (1, NDJSON * 2, True)


@pytest.mark.parametrize("command", ["convert", "publish"])
async def test_on_error_skip_omits_and_counts_invalid_events(server: str, command: str) -> None:
    data = SSE + b"event: error\ndata: slow down\n\n" + SSE + b'data: {"n":-Infinity}\n\n' + SSE + DONE
    skip = ("--from", "sse", "--on-error", "skip")
    if command == "convert":
        code, stdout, stderr = invoke("convert", *skip, "--to", "ndjson", stdin=data)
    else:
        code, _, stderr = await run("publish", "--server", server, *skip, "s", stdin=data)
        _, stdout, _ = await run("subscribe", "--server", server, "s")
    first, second, count = stderr.splitlines()
    assert (code, stdout) == (0, NDJSON * 3)
    assert first.startswith(b"line 5: $: ") and first.endswith(b"event 'error': slow down; skipped")
    assert second == b"line 10: $.n: not JSON: -Infinity is not a JSON value; skipped"
    assert count == b"skipped 2 events"


async def test_the_format_of_standard_input_is_detected(server: str) -> None:
    assert invoke("convert", "--to", "ndjson", stdin=SSE + DONE) == (0, NDJSON, b"")
    assert invoke("convert", stdin=b"%c%b" % (len(EVENT), EVENT)) == (0, NDJSON, b"")
    assert await run("publish", "--server", server, "s", stdin=SSE + DONE) == (0, b"", b"")
    assert await run("subscribe", "--server", server, "s") == (0, NDJSON, b"")
