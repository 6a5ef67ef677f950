"""Kills subscribers and publishers with `kill -9` while events flow, and starts them again."""

import asyncio
import json
import random
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from openresponses_grpc import AsyncEventStreamClient, StreamError, json_to_protobuf

from .processes import COMMAND

COMPLETED = b'{"type":"response.completed","sequenceNumber":0}'
POLL_SECONDS = 0.005


def delta(number: int) -> bytes:
    """The JSON of an event with a text that no other has."""
    event = {"type": "response.output_text.delta", "outputIndex": 0, "contentIndex": 0, "delta": f"{number} "}
    return json.dumps({**event, "sequenceNumber": number}, separators=(",", ":")).encode()


async def kill_subscribers(address: str, folder: Path, kills: int, *options: str) -> Path:
    """Kills a subscriber at random moments, then lets the stream and the last subscriber end. Returns the output."""
    output = folder / "output"
    output.touch()
    command = ("subscribe", "--server", address, "--position-file", str(folder / "position"), *options, "s")
    async with AsyncEventStreamClient(address) as client, client.publish("s") as publisher:
        flowing = asyncio.create_task(_flow(publisher))
        try:
            for _ in range(kills):
                wanted = output.stat().st_size + random.randrange(1, 20_000)
                async with appending(command, output) as process:
                    while output.stat().st_size < wanted:
                        assert process.returncode is None, output.stat().st_size
                        await asyncio.sleep(POLL_SECONDS)
                    process.kill()
        finally:
            flowing.cancel()
            with suppress(asyncio.CancelledError):
                await flowing
        await publisher.send(json_to_protobuf(COMPLETED))
    for _ in range(2):  # the second one has nothing to write
        async with appending(command, output) as process:
            assert await process.wait() == 0
    return output


async def kill_publishers(address: str, kills: int) -> bytes:
    """Kills a publisher at random moments and replays its input; the last one ends the stream. Returns the input."""
    lines = [delta(number) for number in range(250 * (kills + 1))] + [COMPLETED]
    stored = 0
    async with AsyncEventStreamClient(address) as client:
        for _ in range(kills):
            wanted = stored + random.randrange(1, 200)
            process = await _publisher(address)
            feeding = asyncio.create_task(_feed(process, lines[: wanted + random.randrange(50)]))
            while (stored := await _stored(client)) < wanted:
                assert process.returncode is None
                await asyncio.sleep(POLL_SECONDS)
            process.kill()
            await feeding
            await process.wait()
    process = await _publisher(address)
    await process.communicate(b"\n".join(lines))
    assert process.returncode == 0
    return b"".join(line + b"\n" for line in lines)


async def _flow(publisher: object) -> None:
    number = 0
    while True:
        for _ in range(5):
            await publisher.send(json_to_protobuf(delta(number)))  # type: ignore[attr-defined]
            number += 1
        await asyncio.sleep(POLL_SECONDS)


@asynccontextmanager
async def appending(command: tuple[str, ...], output: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    with output.open("ab") as file:
        process = await asyncio.create_subprocess_exec(COMMAND, *command, stdin=DEVNULL, stdout=file)
    try:
        yield process
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _publisher(address: str) -> asyncio.subprocess.Process:
    command = ("publish", "--server", address, "--resume", "--from", "ndjson", "s")
    return await asyncio.create_subprocess_exec(COMMAND, *command, stdin=PIPE)


async def _feed(process: asyncio.subprocess.Process, lines: list[bytes]) -> None:
    assert process.stdin is not None
    with suppress(ConnectionError):
        for line in lines:
            process.stdin.write(line + b"\n")
            await process.stdin.drain()
            await asyncio.sleep(0)
        # The end of the input would end the stream.
        await process.wait()


async def _stored(client: AsyncEventStreamClient) -> int:
    try:
        return (await client.get_stream("s")).next_offset
    except StreamError as error:
        assert error.reason == "STREAM_NOT_FOUND"
        return 0
