"""`openresponses publish --resume` and `--fail`."""

import json

import pytest

from openresponses_grpc import AsyncEventStreamClient, json_to_protobuf
from openresponses_grpc.v1.stream_service_pb2 import StreamState

from ..support.events import COMPLETED_JSON, GENERATING_JSON
from .in_process import invoke, run
from .kills import COMPLETED

TERMINAL = COMPLETED + b"\n"
FIRST, SECOND = GENERATING_JSON + b"\n", COMPLETED_JSON + b"\n"
WHOLE = FIRST + SECOND + TERMINAL

# The events and the ending of the stream, the options and the input of the command, its exit status, a part of its
# error, and the events of the stream after it.
RESUMED = [
    (b"", None, "", WHOLE, 0, "", WHOLE),
    (FIRST, None, "", WHOLE, 0, "", WHOLE),
    (FIRST + SECOND, None, "", WHOLE, 0, "", WHOLE),
    (WHOLE, None, "", WHOLE, 0, "", WHOLE),
    (WHOLE, "", "", WHOLE, 0, "", WHOLE),
    (FIRST, "", "", FIRST, 0, "", FIRST),
    (FIRST, "", "--end", FIRST, 0, "", FIRST),
    (FIRST, None, "--end", FIRST, 0, "", FIRST),
    (FIRST, None, "--end", FIRST + SECOND, 0, "", FIRST + SECOND),
    (FIRST, None, "", FIRST + SECOND, 1, "without a terminal event", FIRST + SECOND),
    (FIRST + SECOND, None, "", FIRST, 1, "without a terminal event", FIRST + SECOND),
    (FIRST, None, "", FIRST + b"oops\n", 1, "line 2", FIRST),
    (FIRST, None, "", b"oops\n", 1, "line 1", FIRST),
    (FIRST, None, "", b"", 1, "no event", FIRST),
    (FIRST, None, "", SECOND + TERMINAL, 3, "differs from stream 's' at offset 0", FIRST),
    (FIRST + SECOND, None, "", FIRST + FIRST + TERMINAL, 3, "stream 's' at offset 1", FIRST + SECOND),
    (
        FIRST + SECOND,
        None,
        "--end",
        FIRST,
        3,
        "ends at offset 1, before the end of stream 's' at offset 2",
        FIRST + SECOND,
    ),
    (FIRST + SECOND, None, "", TERMINAL, 3, "differs from stream 's' at offset 0", FIRST + SECOND),
    (FIRST, "", "", WHOLE, 3, "ended at offset 1", FIRST),
    (FIRST, "BROKEN", "--fail BROKEN", FIRST, 0, "", FIRST),
    (FIRST, "BROKEN", "--fail OTHER", FIRST, 3, "failed at offset 1", FIRST),
    (FIRST, "BROKEN", "--end", FIRST, 3, "failed with BROKEN", FIRST),
    (FIRST, "BROKEN", "", WHOLE, 3, "failed with BROKEN", FIRST),
    (FIRST, "", "--fail BROKEN", FIRST, 3, "has ended at offset 1", FIRST),
]


async def prepare(server: str, lines: bytes, ending: str | None) -> None:
    """Publishes lines and ends the stream: complete if `ending` is empty, failed with another, not at all with None."""
    async with AsyncEventStreamClient(server) as client:
        try:
            async with client.publish("s") as publisher:
                for line in lines.splitlines():
                    await publisher.send(json_to_protobuf(line))
                await publisher.flush()
                if ending is None:
                    raise ZeroDivisionError
                if ending:
                    await publisher.fail(ending)
        except ZeroDivisionError:
            pass


async def events(server: str) -> bytes:
    return (await run("subscribe", "--server", server, "s"))[1]


@pytest.mark.parametrize("lines, ending, options, stdin, status, says, after", RESUMED)
async def test_resume_publishes_only_missing_events(
    server: str, lines: bytes, ending: str | None, options: str, stdin: bytes, status: int, says: str, after: bytes
) -> None:
    await prepare(server, lines, ending)
    code, _, stderr = await run("publish", "--server", server, "--resume", *options.split(), "s", stdin=stdin)
    assert (code, says in stderr.decode()) == (status, True), stderr.decode()
    assert stderr.count(b"\n") == (1 if status else 0)
    assert await events(server) == after


async def test_resume_compares_events_as_json(server: str) -> None:
    # Another version can encode the properties of an event in another order.
    lines = [json.dumps(dict(reversed(json.loads(FIRST).items()))).encode()]
    event = json_to_protobuf(FIRST)
    tag, body = event[:2], event[2:]
    reordered = tag + body[-9:] + body[:-9]
    assert json_to_protobuf(lines[0]) != reordered
    async with AsyncEventStreamClient(server) as client, client.publish("s") as publisher:
        await publisher.send(reordered)
    assert await run("publish", "--server", server, "--resume", "--end", "s", stdin=FIRST) == (0, b"", b"")


@pytest.mark.parametrize("other", ["2", '"1"', "true", "null", "[1]", "{}", '1,"y":1'])
async def test_resume_distinguishes_json_types(server: str, other: str) -> None:
    event = b'{"type":"t","x":1}\n'
    assert (await run("publish", "--server", server, "--end", "s", stdin=event))[0] == 0
    code, _, stderr = await run(
        "publish", "--server", server, "--resume", "s", stdin=f'{{"type":"t","x":{other}}}'.encode()
    )
    assert (code, b"differs from stream 's' at offset 0" in stderr) == (3, True)


async def test_resume_compares_numbers_by_value(server: str) -> None:
    assert (await run("publish", "--server", server, "--end", "s", stdin=b'{"type":"t","x":1,"y":100}'))[0] == 0
    assert (await run("publish", "--server", server, "--resume", "s", stdin=b'{"type":"t","y":1e2,"x":1.0}'))[0] == 0


@pytest.mark.parametrize("stdin", [b"", FIRST])
@pytest.mark.parametrize("message", ["", "it broke: ü"])
async def test_fail_marks_the_stream_as_failed(server: str, stdin: bytes, message: str) -> None:
    options = ("--fail", "BROKEN", *(("--fail-message", message) if message else ()))
    assert await run("publish", "--server", server, *options, "s", stdin=stdin) == (0, b"", b"")
    async with AsyncEventStreamClient(server) as client:
        info = await client.get_stream("s")
    assert (info.state, info.failure.reason, info.failure.message) == (
        StreamState.STREAM_STATE_FAILED,
        "BROKEN",
        message,
    )
    code, stdout, stderr = await run("subscribe", "--server", server, "s")
    assert (code, stdout, message in stderr.decode()) == (3, stdin, True)


async def test_fail_rejects_a_terminal_event_and_leaves_the_stream_open(server: str) -> None:
    code, _, stderr = await run("publish", "--server", server, "--fail", "BROKEN", "s", stdin=WHOLE)
    assert (code, b"has a terminal event: stream 's' stays open" in stderr) == (2, True)
    assert await run("publish", "--server", server, "--end", "s") == (0, b"", b"")
    assert await events(server) == WHOLE


@pytest.mark.parametrize("options", [["--fail", "R", "--end"], ["--fail-message", "m"], ["--fail", ""]])
def test_publish_rejects_conflicting_options(options: list[str]) -> None:
    assert invoke("publish", *options, "s")[0] == 2


async def test_invalid_input_leaves_the_stream_open_even_with_fail(server: str) -> None:
    assert (await run("publish", "--server", server, "--fail", "BROKEN", "s", stdin=FIRST + b"oops\n"))[0] == 1
    assert await run("publish", "--server", server, "--resume", "s", stdin=WHOLE) == (0, b"", b"")
    assert await events(server) == WHOLE
