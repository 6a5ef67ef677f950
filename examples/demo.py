"""The whole way of an event: SDK JSON, protobuf, a gRPC server, a subscriber, SDK JSON. Run it with `make demo`."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from openresponses_grpc import EventStreamClient, from_json, to_json

SAMPLE = Path(__file__).with_name("image-generation.ndjson")
STREAM = "resp_demo"
SHOWN = 5


@contextlib.asynccontextmanager
async def server() -> AsyncIterator[str]:
    """Runs `openresponses serve` on a free port of this machine and yields its address."""
    command = Path(sys.executable).with_name("openresponses")
    process = await asyncio.create_subprocess_exec(
        command, "serve", "--listen", "127.0.0.1:0", "--log-level", "warning", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        line = (await process.stdout.readline()).decode()
        yield line.removeprefix("listening on ").strip()
    finally:
        process.terminate()
        await process.wait()


async def publish(client: EventStreamClient, lines: list[bytes]) -> None:
    """Publishes one event for each line of SDK JSON."""
    async with client.publish(STREAM) as publisher:
        for line in lines:
            await publisher.send(from_json(line))


async def subscribe(client: EventStreamClient) -> list[bytes]:
    """Reads the stream to its end, and shows its first events beside the sizes of both encodings."""
    received = []
    print(f"{'JSON':>8} {'protobuf':>9}   event, as SDK JSON")
    async for event in client.subscribe(STREAM):
        line = to_json(event)
        received.append((len(line), event.ByteSize(), line))
        if len(received) <= SHOWN:
            print(f"{len(line):>6} B {event.ByteSize():>7} B   {line.decode()}")
    json_size, protobuf_size = (sum(column) for column in list(zip(*received, strict=True))[:2])
    print(f"     ... and {len(received) - SHOWN} more")
    share = f"{protobuf_size / json_size:.0%}"
    print(f"{json_size:>6} B {protobuf_size:>7} B   all {len(received)} events: {share} of the JSON")
    return [line for _, _, line in received]


async def main() -> None:
    """Publishes the sample while a subscriber reads it, and compares what arrives with what was sent."""
    lines = SAMPLE.read_bytes().splitlines()
    async with server() as address, EventStreamClient(address) as client:
        print(f"A server listens on {address}. Publishing {len(lines)} events of examples/{SAMPLE.name}.\n")
        received, _ = await asyncio.gather(subscribe(client), publish(client, lines))
    if received != lines:
        sys.exit("What arrived is not what was sent.")
    print(f"\nAll {len(lines)} events arrived in order and equal to what was sent, to the byte.")


if __name__ == "__main__":
    asyncio.run(main())
