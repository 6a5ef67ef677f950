"""The output of `openresponses subscribe`, and its position file."""

import asyncio
import json
import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from openresponses_grpc import AsyncEventStreamClient, Position, accumulate, json_to_protobuf, protobuf_to_json
from openresponses_grpc.cli._positions import Output, Saved
from openresponses_grpc.cli._text import TextWriter

from ..support.events import COMPLETED_JSON, GENERATING_JSON
from .in_process import invoke, run
from .kills import COMPLETED, POLL_SECONDS, appending, delta
from .processes import line, run_process, started

SAMPLE = Path(__file__).parents[2] / "examples" / "response.ndjson"
DONE = b"data: [DONE]\n\n"


async def publish(server: str, lines: Iterable[bytes], failure: str = "") -> None:
    async with AsyncEventStreamClient(server) as client, client.publish("s") as publisher:
        for text in lines:
            await publisher.send(json_to_protobuf(text))
        if failure:
            await publisher.fail(failure, "it broke")


def text_of(lines: Iterable[bytes]) -> str:
    writer = TextWriter()
    return b"".join([*writer.write(map(json_to_protobuf, lines)), writer.close()]).decode()


def event(type: str, **properties: object) -> bytes:
    return json.dumps({"type": type, **properties}).encode()


PART = {"type": "output_text", "text": "Hello", "annotations": []}
ITEM = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [PART]}
DELTAS = [
    event("response.output_text.delta", output_index=0, content_index=0, delta="Hel"),
    event("response.output_text.delta", output_index=0, content_index=0, delta="lo"),
]
WHOLE = [
    event("response.output_text.done", output_index=0, content_index=0, text="Hello"),
    event("response.content_part.done", output_index=0, content_index=0, part=PART),
    event("response.output_item.done", output_index=0, item=ITEM),
    event("response.completed", response={"id": "r", "output": [ITEM]}),
]
REFUSAL = [
    event("response.refusal.delta", output_index=0, content_index=0, delta="No"),
    event("response.refusal.done", output_index=0, content_index=0, refusal="No"),
]


@pytest.mark.parametrize("deltas", [[], DELTAS], ids=["no deltas", "deltas"])
@pytest.mark.parametrize("wholes", range(1, 1 << len(WHOLE)))
def test_text_is_written_once_whichever_events_carry_it(deltas: list[bytes], wholes: int) -> None:
    assert text_of(deltas + [whole for bit, whole in enumerate(WHOLE) if wholes >> bit & 1]) == "Hello\n"


@pytest.mark.parametrize(
    "lines, text",
    [
        ([], ""),
        ([GENERATING_JSON], ""),
        (DELTAS, "Hello\n"),
        (REFUSAL, "No\n"),
        (REFUSAL[1:], "No\n"),
        # The output index of other events differs from that of the deltas.
        ([*DELTAS, WHOLE[0].replace(b'"output_index": 0', b'"output_index": 7')], "Hello\n"),
        ([WHOLE[0], event("response.completed", response={"output": [{"type": "reasoning"}, ITEM]})], "Hello\n"),
        # Two parts with the same text.
        ([WHOLE[0], WHOLE[0].replace(b'"content_index": 0', b'"content_index": 1')], "HelloHello\n"),
        # Two responses.
        (
            [event("response.created", response={"id": id}) if id else WHOLE[0] for id in ("a", "", "b", "")],
            "Hello\n" * 2,
        ),
    ],
)
def test_the_text_of_a_stream(lines: list[bytes], text: str) -> None:
    assert text_of(lines) == text


def test_the_text_of_the_sample_matches_accumulate() -> None:
    lines = SAMPLE.read_bytes().splitlines()
    text = text_of(lines)
    assert text == accumulate(map(json_to_protobuf, lines)).text + "\n"
    without_deltas = [line for line in lines if b".delta" not in line]
    assert text_of(without_deltas) == text


async def test_text_is_written_immediately(server: str) -> None:
    async with (
        AsyncEventStreamClient(server) as client,
        started("subscribe", "--server", server, "--text", "s") as subscriber,
        client.publish("s") as publisher,
    ):
        assert subscriber.stdout is not None
        for number in range(3):
            await publisher.send(json_to_protobuf(delta(number)))
            assert await subscriber.stdout.readexactly(2) == b"%d " % number
        await publisher.fail("DONE", "")
        assert await subscriber.stdout.read() == b"\n"


@pytest.mark.parametrize(
    "globs, kept",
    [
        (["*"], {0, 1, 2}),
        (["response.image_generation_call.*"], {0, 1}),
        (["*.generating", "*.delta"], {0, 2}),
        (["response.IMAGE*"], set()),
        (["*.[!gc]*ta"], {2}),
    ],
)
async def test_type_filters_the_output_and_offsets_count_all_events(
    server: str, globs: list[str], kept: set[int]
) -> None:
    lines = [GENERATING_JSON, COMPLETED_JSON, protobuf_to_json(json_to_protobuf(delta(2)))]
    await publish(server, lines)
    options = [option for glob in globs for option in ("--type", glob)]
    code, stdout, _ = await run("subscribe", "--server", server, "--print-offsets", *options, "s")
    assert (code, stdout) == (0, b"".join(b"%d\t%b\n" % (at, lines[at]) for at in sorted(kept)))


@pytest.mark.parametrize("last", [GENERATING_JSON, COMPLETED])
async def test_sse_of_a_failed_stream_ends_with_an_error_event(server: str, last: bytes) -> None:
    await publish(server, [delta(41), last], "UPSTREAM_TIMEOUT")
    code, stdout, _ = await run("subscribe", "--server", server, "--to", "sse", "s")
    error = b'{"type":"error","code":"UPSTREAM_TIMEOUT","message":"it broke","param":null,"sequence_number":1}'
    assert (code, stdout.endswith(b"\n\nevent: error\ndata: " + error + b"\n\n")) == (3, True)
    assert DONE not in stdout


@pytest.mark.parametrize("last, done", [(GENERATING_JSON, False), (COMPLETED, True), (b'{"type":"error"}', True)])
async def test_sse_ends_with_done_only_after_a_terminal_event(server: str, last: bytes, done: bool) -> None:
    await publish(server, [last])
    code, stdout, _ = await run("subscribe", "--server", server, "--to", "sse", "s")
    assert (code, stdout.endswith(DONE)) == (0, done)


async def test_sse_of_an_abandoned_stream_has_no_done(server: str) -> None:
    with pytest.raises(ZeroDivisionError):
        async with AsyncEventStreamClient(server) as client, client.publish("s") as publisher:
            await publisher.send(json_to_protobuf(COMPLETED))
            await publisher.flush()
            raise ZeroDivisionError
    code, stdout, _ = await run("subscribe", "--server", server, "--to", "sse", "s")
    assert (code, DONE in stdout) == (3, False)


@pytest.mark.parametrize(
    "options",
    [
        ["--text", "--to", "sse"],
        ["--text", "--naming", "camelCase"],
        ["--text", "--print-offsets"],
        ["--print-offsets", "--to", "sse"],
    ],
)
def test_subscribe_rejects_conflicting_options(options: list[str]) -> None:
    assert invoke("subscribe", *options, "s")[0] == 2


def offset_in(position: Path) -> int:
    return Position.parse(position.read_text().split()[0]).offset if position.exists() else 0


@pytest.mark.parametrize("failure", ["", "UPSTREAM_TIMEOUT"])
@pytest.mark.parametrize("options", [[], ["--to", "sse"], ["--to", "protobuf"], ["--text"], ["--print-offsets"]])
async def test_outputs_of_killed_subscribers_concatenate_to_the_stream(
    server: str, tmp_path: Path, options: list[str], failure: str
) -> None:
    position, joined = tmp_path / "position", b""
    command: tuple[str | Path, ...] = ("subscribe", "--server", server, *options, "--position-file", position, "s")
    async with AsyncEventStreamClient(server) as client, client.publish("s") as publisher:
        for number in range(2):
            async with started(*command) as subscriber:
                await publisher.send(json_to_protobuf(delta(number)))
                while offset_in(position) <= number:  # noqa: ASYNC110 - it is another process
                    await asyncio.sleep(POLL_SECONDS)
                subscriber.kill()
                joined += (await subscriber.communicate())[0]
        await publisher.send(json_to_protobuf(COMPLETED))
        if failure:
            await publisher.fail(failure)
    status = 3 if failure else 0
    code, rest, _ = await run_process(*command)
    fresh = await run("subscribe", "--server", server, *options, "s")
    assert (code, joined + rest) == (status, fresh[1])
    assert (await run_process(*command))[:2] == (status, b"")


async def test_a_saved_position_overrides_the_start_offset(server: str, tmp_path: Path) -> None:
    await publish(server, [GENERATING_JSON, COMPLETED_JSON])
    command = ("subscribe", "--server", server, "--start-offset", "1", "--position-file", tmp_path / "position", "s")
    assert await run_process(*command) == (0, COMPLETED_JSON + b"\n", b"")
    assert await run_process(*command) == (0, b"", b"")


async def test_a_position_of_a_reused_stream_id_is_rejected(server: str, tmp_path: Path) -> None:
    position = tmp_path / "position"
    command = ("subscribe", "--server", server, "--position-file", position, "s")
    await publish(server, [GENERATING_JSON])
    assert (await run_process(*command))[0] == 0
    saved = position.read_bytes()
    async with AsyncEventStreamClient(server) as client:
        await client.delete_stream("s")
    for _ in range(2):  # without such a stream, and with another one
        code, stdout, stderr = await run_process(*command)
        assert (code, stdout, stderr.count(b"\n")) == (3, b"", 1)
        assert f"; remove {position} to start at the beginning\n".encode() in stderr
        assert position.read_bytes() == saved
        async with AsyncEventStreamClient(server) as client, client.publish("s") as publisher:
            if not publisher.end_of_stream:
                await publisher.send(json_to_protobuf(GENERATING_JSON))


@pytest.mark.parametrize("text", ["", "v2.1.1", "v1.1.1\nmore\n", "v1.1.1\noutput 1\n", "v1.1.1\noutput 1 2 x\n"])
async def test_an_invalid_position_file_is_rejected_and_left_unchanged(server: str, tmp_path: Path, text: str) -> None:
    position = tmp_path / "position"
    position.write_text(text)
    code, _, stderr = await run("subscribe", "--server", server, "--position-file", position, "s")
    assert (code, b"is not a position file" in stderr, position.read_text()) == (1, True, text)


def test_position_files_are_parsed_back() -> None:
    for terminal in (False, True):
        for ended in (False, True):
            for output in (None, Output(*(random.randrange(1 << 40) for _ in range(3)))):
                for position in (Position(7, 3), Position(7, 3, 4, 5)):
                    saved = Saved(position, terminal, ended, output)
                    assert Saved.parse(str(saved)) == saved


async def test_output_appended_after_a_normal_exit_is_kept(server: str, tmp_path: Path) -> None:
    output = tmp_path / "output"
    command = ("subscribe", "--server", server, "--position-file", str(tmp_path / "position"), "s")
    await publish(server, [GENERATING_JSON])
    async with appending(command, output) as process:
        assert await process.wait() == 0
    with output.open("ab") as file:
        file.write(b"mine\n")
    async with appending(command, output) as process:
        assert await process.wait() == 0
    assert output.read_bytes() == GENERATING_JSON + b"\nmine\n"


async def test_a_link_to_a_position_file_is_kept(server: str, tmp_path: Path) -> None:
    await publish(server, [GENERATING_JSON])
    (tmp_path / "link").symlink_to("target")
    (await run_process("subscribe", "--server", server, "--position-file", tmp_path / "link", "s"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text().startswith("v1.")
    assert not list(tmp_path.glob(".*"))  # noqa: ASYNC240


async def test_no_wait_reads_an_existing_stream(server: str) -> None:
    await publish(server, [GENERATING_JSON])
    assert (await run("subscribe", "--server", server, "--no-wait", "s"))[:2] == (0, GENERATING_JSON + b"\n")


async def test_subscribe_waits_for_a_stream_that_does_not_exist_yet(server: str) -> None:
    async with started("subscribe", "--server", server, "--timeout", "50s", "s") as subscriber:
        await publish(server, [GENERATING_JSON])
        assert await line(subscriber) == GENERATING_JSON + b"\n"
        assert (await subscriber.communicate(), subscriber.returncode) == ((b"", b""), 0)
