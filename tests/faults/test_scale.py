"""Memory grows at most linearly with subscribers, events and streams."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from itertools import pairwise
from pathlib import Path

import grpc
import pytest

from openresponses_grpc import AsyncEventStreamClient

from ..support.redis_server import RedisServer, running
from .processes import Restartable, free_port, server
from .traffic import Stream, together, wait_until
from .validator import Verdict

pytestmark = pytest.mark.faults

SLACK = 32 << 20
"""Bytes for growth that does not depend on the load: buffers and free memory of the allocator."""

stores = pytest.mark.parametrize("store", ["memory", "sqlite", "redis"])


@asynccontextmanager
async def serving(store: str, folder: Path) -> AsyncIterator[Restartable]:
    """A server over a store of this kind, with limits that are never reached."""
    room = ["--max-stream-bytes", str(1 << 40)]
    with ExitStack() as stack:
        if store == "redis":
            url = stack.enter_context(running(RedisServer(folder, free_port()))).url
        else:
            url = f"sqlite:{folder / 'streams.db'}" if store == "sqlite" else "memory:"
            room += "--max-bytes", str(1 << 40)
        async with server(url, *room) as process:
            yield process


class Growth:
    """The memory and the time for a tenth of a load, and then for the rest."""

    def __init__(self, process: Restartable) -> None:
        self._process = process
        self._at = time.monotonic()
        self._figures = [(0, process.rss(), 0.0)]

    async def note(self, units: int) -> None:
        """Records the memory and the time for this number of units."""
        seconds = time.monotonic() - self._at
        await self._process.idle()
        self._figures.append((units, self._process.rss(), seconds))
        self._at = time.monotonic()

    def __str__(self) -> str:
        texts = []
        for (before, memory, _), (units, more_memory, seconds) in pairwise(self._figures):
            new = units - before
            each = f"{(more_memory - memory) / new:,.0f} B and {seconds / new * 1e6:,.0f} µs"
            texts.append(f"{each} each of {new:,}")
        return ", then ".join(texts)

    @property
    def flat(self) -> bool:
        """Whether the memory grew at most linearly. The time is only reported, because it depends on the machine."""
        (_, base, _), (tenth, some, _), (units, all_of_it, _) = self._figures
        return all_of_it - base <= 1.5 * (some - base) * units / tenth + SLACK


async def test_5000_subscribers_at_once(report: Callable[[str], None]) -> None:
    stream = Stream("s")
    count = 5000

    def received(events: int) -> bool:
        return all(len(each.digests) >= events for each in stream.received)

    async with (
        server("memory:") as process,
        AsyncEventStreamClient(process.address) as client,
        grpc.aio.insecure_channel(process.address) as channel,
        asyncio.TaskGroup() as group,
        client.publish(stream.id) as publisher,
    ):
        await stream.send(publisher, 1)
        await stream.learn_epoch(channel)
        growth = Growth(process)
        for subscribers in (count // 10, count):
            for _ in range(subscribers - len(stream.received)):
                group.create_task(stream.subscribe(client))
            await wait_until(lambda: len(stream.received) == subscribers and received(1))  # noqa: B023
            await growth.note(subscribers)
        delivery = Growth(process)
        for events in (2, 11):
            await stream.send(publisher, events - len(stream.published.digests))
            await wait_until(lambda: received(events))  # noqa: B023
            await delivery.note(count * (events - 1))
    verdict = stream.verdict()
    report(f"subscribers: {growth}; events delivered to them: {delivery}; {verdict}")
    assert not verdict.faults
    assert growth.flat
    assert delivery.flat


@stores
async def test_1000000_events_replayed(store: str, tmp_path: Path, report: Callable[[str], None]) -> None:
    stream = Stream("s")
    count = 1_000_000
    tenth = count // 10
    async with (
        serving(store, tmp_path) as process,
        AsyncEventStreamClient(process.address) as client,
        grpc.aio.insecure_channel(process.address) as channel,
    ):
        publishing = Growth(process)
        async with client.publish(stream.id) as publisher:
            for events in (tenth, count):
                await stream.send(publisher, events - len(stream.published.digests), padding=0)
                await publishing.note(events)
            await stream.learn_epoch(channel)
        replaying = Growth(process)
        await stream.subscribe(client, start_offset=count - tenth)
        await replaying.note(tenth)
        await stream.subscribe(client)
        await replaying.note(tenth + count)
    verdict = stream.verdict()
    report(f"published: {publishing}; replayed: {replaying}; {verdict}")
    assert not verdict.faults
    assert publishing.flat
    assert replaying.flat


@stores
async def test_10000_streams(store: str, tmp_path: Path, report: Callable[[str], None]) -> None:
    streams = [Stream(f"s{number}") for number in range(10_000)]
    tenth = len(streams) // 10
    async with (
        serving(store, tmp_path) as process,
        AsyncEventStreamClient(process.address) as client,
        grpc.aio.insecure_channel(process.address) as channel,
    ):

        async def publish(stream: Stream) -> None:
            await stream.publish_at_once(channel, 3)

        async def subscribe(stream: Stream) -> None:
            await stream.subscribe(client)

        async def each(work: Callable[[Stream], Awaitable[None]]) -> Growth:
            growth = Growth(process)
            await fifty_at_a_time(work, streams[:tenth])
            await growth.note(tenth)
            await fifty_at_a_time(work, streams[tenth:])
            await growth.note(len(streams))
            return growth

        publishing = await each(publish)
        subscribing = await each(subscribe)
    verdict = sum((stream.verdict() for stream in streams), Verdict())
    report(f"published: {publishing}; read: {subscribing}; {verdict}")
    assert not verdict.faults
    assert publishing.flat
    assert subscribing.flat


async def fifty_at_a_time(work: Callable[[Stream], Awaitable[None]], streams: Sequence[Stream]) -> None:
    async def in_turn(some: Sequence[Stream]) -> None:
        for stream in some:
            await work(stream)

    await together(*(in_turn(streams[place::50]) for place in range(50)))
