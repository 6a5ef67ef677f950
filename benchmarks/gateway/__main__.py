"""Prints the tables of the gateway. Run it with `make bench`.

The contenders take turns in each round, on one machine over the loopback interface; the figures are medians. The events
of each reader are compared with the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

from openresponses_grpc import AsyncEventStreamClient, json_to_protobuf, protobuf_to_json

from .. import events
from ..measure import print_table
from .readers import connected

Log = Mapping[str, list[bytes]]
"""The JSON of the events of each stream."""

OPENRESPONSES: Final = str(Path(sys.executable).with_name("openresponses"))
GATEWAY: Final = "the gateway"
_LISTEN: Final = ("--listen", "127.0.0.1:0", "--log-level", "warning")
PLAIN: Final = "plain: Starlette, uvicorn, without a log"


def log_of(streams: int, count: int) -> Log:
    """Returns streams of text deltas, all of them distinct."""
    deltas = [json.loads(line) for line in events.text_deltas(count)]
    return {
        f"resp_{number}": [
            protobuf_to_json(
                json_to_protobuf(json.dumps(delta | {"item_id": f"msg_{number}_{index}", "sequence_number": index})),
                naming="snake_case",
            )
            for index, delta in enumerate(deltas)
        ]
        for number in range(streams)
    }


@asynccontextmanager
async def _process(*command: str) -> AsyncIterator[tuple[str, int]]:
    """Runs a server process. Yields its address and process id."""
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        yield line.removeprefix("listening on ").strip(), process.pid
    finally:
        process.terminate()
        await process.communicate()


@asynccontextmanager
async def contenders(log: Log) -> AsyncIterator[dict[str, tuple[str, int]]]:
    """Runs the contenders with the given streams. Yields the URL and process id of each."""
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = directory / "streams"
        file.write_bytes(b"".join(b"%b %b\n" % (id.encode(), line) for id, lines in log.items() for line in lines))
        plain = await stack.enter_async_context(_process(sys.executable, "-m", "benchmarks.gateway.plain", str(file)))
        limits = ("--max-bytes", "4GiB", "--max-stream-bytes", "1GiB", "--retention", "1h")
        address, _ = await stack.enter_async_context(_process(OPENRESPONSES, "serve", *_LISTEN, *limits))
        async with AsyncEventStreamClient(address) as client:
            for stream_id, lines in log.items():
                async with client.publish(stream_id) as publisher:
                    for line in lines:
                        await publisher.send(json_to_protobuf(line))
        gateway = await stack.enter_async_context(_process(OPENRESPONSES, "gateway", "--server", address, *_LISTEN))
        yield {GATEWAY: gateway, PLAIN: plain}


async def read(url: str, log: Log, readers: int) -> tuple[float, list[float]]:
    """Returns the seconds until all readers have their whole streams, and until each had its first event."""
    ids = [f"resp_{number % len(log)}" for number in range(readers)]
    made = await connected(url, [f"/v1/responses/{stream_id}?stream=true" for stream_id in ids])
    start = time.perf_counter()
    for reader in made:
        reader.ask()
    await asyncio.gather(*(reader.ended for reader in made))
    taken = time.perf_counter() - start
    for stream_id, reader in zip(ids, made, strict=True):
        if reader.data() != [*log[stream_id], b"[DONE]"]:
            raise RuntimeError(f"a reader of {stream_id} did not receive its events")
    return taken, [reader.first - start for reader in made]


async def throughput(streams: int, count: int, readers: int, rounds: int) -> None:
    log = log_of(streams, count)
    rates: dict[str, list[float]] = {}
    async with contenders(log) as urls:
        for _ in range(rounds):
            for name, (url, _) in urls.items():
                taken, _ = await read(url, log, readers)
                rates.setdefault(name, []).append(readers * count / taken)
    print_table(
        f"{readers:,} subscriber(s) of {streams:,} stream(s) of {count:,} events, medians of {rounds} rounds.",
        ("contender", "delivered events a second", "against plain"),
        [
            (
                name,
                f"{statistics.median(found):,.0f}",
                f"{statistics.median(own / other for own, other in zip(found, rates[PLAIN], strict=True)):.2f}",
            )
            for name, found in rates.items()
        ],
    )


async def first_byte(requests: int) -> None:
    log = log_of(1, 100)
    delays: dict[str, list[float]] = {}
    async with contenders(log) as urls:
        for _ in range(requests):
            for name, (url, _) in urls.items():
                _, (delay,) = await read(url, log, 1)
                delays.setdefault(name, []).append(delay * 1e3)
    rows = []
    for name, found in delays.items():
        cuts = statistics.quantiles(found, n=100)
        rows.append((name, f"{cuts[49]:.2f}", f"{cuts[98]:.2f}"))
    print_table(
        f"From the request to the first event, {requests:,} requests one after the other.",
        ("contender", "p50 in ms", "p99 in ms"),
        rows,
    )


def _rss(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def memory(readers: int) -> None:
    """Measures the memory of readers that wait for the next event of an open stream."""
    rows = []
    async with AsyncExitStack() as stack:
        address, _ = await stack.enter_async_context(_process(OPENRESPONSES, "serve", *_LISTEN))
        url, pid = await stack.enter_async_context(_process(OPENRESPONSES, "gateway", "--server", address, *_LISTEN))
        client = await stack.enter_async_context(AsyncEventStreamClient(address))
        publisher = await stack.enter_async_context(client.publish("resp_0"))
        for line in events.text_deltas(100):
            await publisher.send(json_to_protobuf(line))
        await publisher.flush()
        made: list[Any] = []
        before = _rss(pid)
        for count in (100, readers):
            made += await connected(url, ["/v1/responses/resp_0?stream=true"] * (count - len(made)))
            for reader in made:
                if not reader.first:
                    reader.ask()
            while not all(reader.first for reader in made):  # noqa: ASYNC110 - readers have no event to wait for
                await asyncio.sleep(0.1)
            rows.append((f"{count:,}", f"{(_rss(pid) - before) / count / 1024:.0f}"))
        for reader in made:
            reader.close()
    print_table("Memory of the gateway for each idle subscriber.", ("subscribers", "KiB per subscriber"), rows)


async def run() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    await throughput(1, 100_000, 1, rounds=5)
    await throughput(1, 200, 1000, rounds=5)
    await throughput(1000, 200, 1000, rounds=5)
    await first_byte(500)
    await memory(1000)


if __name__ == "__main__":
    asyncio.run(run())
