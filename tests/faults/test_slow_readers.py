"""Subscribers who do not read cost those who do nothing, and the server little."""

import asyncio
import time
from collections.abc import Callable
from statistics import median

import pytest

from openresponses_grpc import AsyncEventStreamClient

from .processes import attack, server
from .traffic import event, together, until

pytestmark = [pytest.mark.faults, pytest.mark.alone]

READERS = 5
EVENTS = 800


async def fill(address: str) -> None:
    """Lets the server hold most of the 256 MiB that it does by default, of which `long` is the longest stream."""
    async with AsyncEventStreamClient(address) as client:
        for stream_id, events in (("other", 60_000), ("another", 60_000), ("long", 60_000)):
            async with client.publish(stream_id) as publisher:
                for number in range(events):
                    await publisher.send(event(stream_id, number, padding=1000))


async def p99_latency(address: str, stream_id: str) -> float:
    """Seconds from an event's publishing to its delivery, which one of a hundred takes longer than."""
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


async def test_those_who_read_do_not_notice_51_who_do_not(factor: int, report: Callable[[str], None]) -> None:
    # What else the machine does makes one p99 several times another. So the two are measured in turns, their medians
    # are compared, and turns are added while the medians differ: what is really slower stays so.
    alone: list[float] = []
    beside: list[float] = []
    memory = 0
    async with server("memory:", "--retention", "1000000") as process:
        await fill(process.address)
        await p99_latency(process.address, "first")
        base = process.rss()
        while len(alone) < 5 * factor or (median(beside) > 1.2 * median(alone) and len(alone) < 15 * factor):
            await process.idle()
            alone.append(await p99_latency(process.address, f"alone {len(alone)}"))
            async with attack("slow-readers", process) as attacker:
                await until(lambda: attacker.has_printed("enough"))
                await process.idle()
                beside.append(await p99_latency(process.address, f"beside {len(beside)}"))
                memory = max(memory, process.rss())
    report(
        f"rounds {len(alone)}, p99 {median(alone) * 1e3:.2f} ms alone, {median(beside) * 1e3:.2f} ms beside 51 peers"
        f" who do not read, memory {base >> 20} MiB and {memory >> 20} MiB"
    )
    assert median(beside) <= 1.2 * median(alone)
    assert memory <= 1.2 * base
