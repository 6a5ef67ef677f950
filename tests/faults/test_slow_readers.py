"""Subscribers that do not read do not slow down others, and use little memory."""

import asyncio
import time
from collections.abc import Callable
from statistics import median

import pytest

from openresponses_grpc import AsyncEventStreamClient

from .processes import attack, server
from .traffic import event, together, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.alone]

READERS = 5
EVENTS = 800


async def fill(address: str) -> None:
    """Fills most of the default 256 MiB of the server, including the stream `long`."""
    async with AsyncEventStreamClient(address) as client:
        for stream_id, events in (("other", 60_000), ("another", 60_000), ("long", 60_000)):
            async with client.publish(stream_id) as publisher:
                for number in range(events):
                    await publisher.send(event(stream_id, number, padding=1000))


async def p99_latency(address: str, stream_id: str) -> float:
    """Returns the 99th percentile of the seconds from publishing to delivery."""
    sent: list[float] = []
    latencies: list[float] = []

    async def read(client: AsyncEventStreamClient) -> None:
        at = 0
        async for _ in client.subscribe(stream_id):
            latencies.append(time.perf_counter() - sent[at])
            at += 1

    async def publish(client: AsyncEventStreamClient) -> None:
        async with client.publish(stream_id) as publisher:
            for number in range(EVENTS):
                sent.append(time.perf_counter())
                await publisher.send(event(stream_id, number))
                await asyncio.sleep(0.002)

    async with AsyncEventStreamClient(address) as publisher, AsyncEventStreamClient(address) as reader:
        await together(publish(publisher), *(read(reader) for _ in range(READERS)))
    assert len(latencies) == READERS * EVENTS
    return sorted(latencies)[len(latencies) * 99 // 100]


async def test_51_stalled_subscribers_do_not_slow_down_others(factor: int, report: Callable[[str], None]) -> None:
    # Other load on the machine can multiply a single p99. The two cases therefore alternate, their medians are
    # compared, and rounds are added while the medians differ: a real slowdown persists.
    alone: list[float] = []
    beside: list[float] = []
    memory = 0
    async with server("memory:", "--retention", "1000000") as process:
        await fill(process.address)
        await p99_latency(process.address, "first")
        base = process.rss()
        while len(alone) < 5 * factor or (median(beside) > 1.2 * median(alone) and len(alone) < 25 * factor):
            await process.idle()
            alone.append(await p99_latency(process.address, f"alone {len(alone)}"))
            async with attack("slow-readers", process) as attacker:
                await wait_until(lambda: attacker.has_printed("enough"))
                await process.idle()
                beside.append(await p99_latency(process.address, f"beside {len(beside)}"))
                memory = max(memory, process.rss())
    report(
        f"rounds {len(alone)}, p99 {median(alone) * 1e3:.2f} ms alone, {median(beside) * 1e3:.2f} ms beside 51 peers"
        f" that do not read, memory {base >> 20} MiB and {memory >> 20} MiB"
    )
    assert median(beside) <= 1.2 * median(alone)
    assert memory <= 1.2 * base
