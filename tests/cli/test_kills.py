"""A few kills of each kind; tests/faults has more of them."""

import asyncio
from pathlib import Path

import pytest

from openresponses_grpc import AsyncEventStreamClient, json_to_protobuf

from ..support.events import GENERATING_JSON
from .in_process import run
from .kills import POLL_SECONDS, appending, kill_publishers, kill_subscribers


@pytest.mark.parametrize("options", [[], ["--to", "sse"], ["--text"], ["--print-offsets"]], ids="-".join)
async def test_output_with_a_position_file_has_each_event_once_after_kills(
    server: str, tmp_path: Path, options: list[str]
) -> None:
    output = await kill_subscribers(server, tmp_path, 3, *options)
    assert await run("subscribe", "--server", server, *options, "s") == (0, output.read_bytes(), b"")


async def test_output_after_the_saved_position_is_truncated(server: str, tmp_path: Path) -> None:
    output, position = tmp_path / "output", tmp_path / "position"
    command = ("subscribe", "--server", server, "--position-file", str(position), "s")
    async with AsyncEventStreamClient(server) as client, client.publish("s") as publisher:
        async with appending(command, output) as process:
            await publisher.send(json_to_protobuf(GENERATING_JSON))
            while not position.exists() or b"\noutput" not in position.read_bytes() or not output.stat().st_size:  # noqa: ASYNC110
                await asyncio.sleep(POLL_SECONDS)
            process.kill()
        with output.open("ab") as file:
            file.write(GENERATING_JSON[:10])  # as if killed between the output and the position
    async with appending(command, output) as process:
        assert await process.wait() == 0
    assert output.read_bytes() == GENERATING_JSON + b"\n"


async def test_resuming_killed_publishers_stores_exactly_the_input(server: str) -> None:
    published = await kill_publishers(server, 3)
    assert await run("subscribe", "--server", server, "s") == (0, published, b"")
