"""Messages of `publish` and `subscribe` at a terminal."""

import asyncio
import os
import pty
import re
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from openresponses_grpc import AsyncEventStreamClient, json_to_protobuf
from openresponses_grpc.cli._tally import in_units

from ..support.events import GENERATING_JSON
from .kills import COMPLETED
from .processes import COMMAND, line

EVENT = json_to_protobuf(GENERATING_JSON)


@asynccontextmanager
async def at_terminal(*arguments: str) -> AsyncIterator[tuple[Process, int]]:
    """A process whose standard error is a terminal, and the other end of it."""
    terminal, its_end = pty.openpty()
    process = await asyncio.create_subprocess_exec(COMMAND, *arguments, stdin=PIPE, stdout=PIPE, stderr=its_end)
    os.close(its_end)
    try:
        yield process, terminal
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
        os.close(terminal)


def read(terminal: int) -> str:
    """Reads from the terminal until its process ends."""
    text = b""
    try:
        while data := os.read(terminal, 1 << 16):
            text += data
    except OSError:  # Linux has no end of file here
        pass
    return text.decode().replace("\r\n", "\n")


async def test_subscribe_reports_its_wait_and_a_summary_at_a_terminal(server: str) -> None:
    async with (
        AsyncEventStreamClient(server) as client,
        at_terminal("subscribe", "--server", server, "s") as (_, terminal),
    ):
        waiting = await asyncio.to_thread(os.read, terminal, 1000)
        assert waiting == b"stream 's' does not exist yet: waiting for it\r\n"
        async with client.publish("s") as publisher:
            await publisher.send(EVENT)
        said = await asyncio.to_thread(read, terminal)
        assert re.fullmatch(rf"received 1 event, {len(EVENT)} B, in [\d.]+ s: the stream is complete\n", said)


@pytest.mark.parametrize(
    "options, stdin, says",
    [
        ([], GENERATING_JSON + b"\n" + COMPLETED, "published 2 events, .*: the stream is complete\n"),
        (["--fail", "BROKEN"], GENERATING_JSON, "published 1 event, .*: the stream failed with BROKEN\n"),
        ([], GENERATING_JSON, ".* stays open; .*\npublished 1 event, .*: the stream has not ended\n"),
    ],
)
async def test_publish_prints_a_summary_at_a_terminal(server: str, options: list[str], stdin: bytes, says: str) -> None:
    async with at_terminal("publish", "--server", server, *options, "s") as (process, terminal):
        await process.communicate(stdin)
        assert re.fullmatch(says, await asyncio.to_thread(read, terminal))


async def test_ctrl_c_prints_no_summary(server: str) -> None:
    async with AsyncEventStreamClient(server) as client, client.publish("s") as publisher:
        await publisher.send(EVENT)
        await publisher.flush()
        async with at_terminal("subscribe", "--server", server, "s") as (process, terminal):
            assert await line(process) == GENERATING_JSON + b"\n"
            process.send_signal(signal.SIGINT)
            assert (await process.wait(), await asyncio.to_thread(read, terminal)) == (130, "")


async def test_wait_reports_an_unreachable_server_at_a_terminal(unused_tcp_port: int) -> None:
    address = f"127.0.0.1:{unused_tcp_port}"
    async with at_terminal("subscribe", "--wait", "--server", address, "s") as (_, terminal):
        said = await asyncio.to_thread(os.read, terminal, 1000)
        assert said.startswith(f"waiting for the server: server {address}: cannot connect: ".encode())


@pytest.mark.parametrize(
    "size, text",
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_949, "999.9 kB"), (999_950, "1.0 MB"), (5 * 10**12, "5.0 TB")],
)
def test_sizes_are_printed_with_units(size: int, text: str) -> None:
    assert in_units(size) == text
