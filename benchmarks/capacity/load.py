"""Streams that grow at a steady pace, and what they cost the servers."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from ..stream.chain import process
from ..stream.contender import Client, Contender
from .answering import answering, ask, relay
from .redis_nodes import RedisUsage, redis_usage


@dataclass(frozen=True)
class Load:
    """What clients do.

    Attributes:
        streams: how many are open, each with one publisher.
        readers: subscribers of each stream.
        rate: events a second in each stream.
        together: events that a publisher sends at once, and that make one message.

    """

    streams: int
    readers: int
    rate: float
    together: int = 1


@dataclass(frozen=True)
class Usage:
    """What a load cost in some seconds.

    Attributes:
        seconds: how long it was measured.
        published, delivered: events.
        cpu: seconds of all servers.
        memory: bytes that all servers have.
        to_servers, from_servers: bytes on the connections of clients; 0 where they were not counted.
        redis: what the Redis servers used, and by how much they grew.

    """

    seconds: float
    published: int
    delivered: int
    cpu: float
    memory: int
    to_servers: int
    from_servers: int
    redis: RedisUsage


async def _serve(pipe: Connection, contender: Contender) -> None:
    def figures() -> tuple[float, int]:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return time.process_time(), pages * os.sysconf("SC_PAGE_SIZE")

    async with contender.serve() as address:
        pipe.send(address)
        await answering(pipe, figures)


async def _load(pipe: Connection, contender: Contender, addresses: Sequence[str], load: Load) -> None:
    counts = [0, 0]
    events = contender.events(1000)
    over = asyncio.Event()

    async def publish(client: Client, stream_id: str) -> None:
        async with client.publishing(stream_id) as send:
            if not load.rate:
                await send(events[0])
                await over.wait()
                return
            due = time.monotonic() + random.uniform(0, load.together / load.rate)
            while not over.is_set():
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                due += load.together / load.rate
                for number in range(load.together):
                    await send(events[(counts[0] + number) % len(events)])
                counts[0] += load.together

    async def subscribe(client: Client, stream_id: str) -> None:
        async for _ in client.subscribe(stream_id):
            counts[1] += 1

    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        clients = [await stack.enter_async_context(contender.connect(address)) for address in addresses]
        for number in range(load.streams):
            stream_id = f"{random.getrandbits(64):x}-{number}"
            tasks.create_task(publish(clients[number % len(clients)], stream_id))
            for reader in range(load.readers):
                tasks.create_task(subscribe(clients[(number + reader + 1) % len(clients)], stream_id))
        expected = load.streams * load.readers
        while counts[1] < expected or (load.rate and counts[0] < load.streams):  # noqa: ASYNC110 - for many tasks
            await asyncio.sleep(0.1)
        pipe.send(None)
        await answering(pipe, lambda: tuple(counts))
        over.set()


def measure(
    contender: Contender,
    load: Load,
    *,
    seconds: float,
    redis: Sequence[int] = (),
    servers: int = 1,
    count_bytes: bool = False,
    settle: float = 1.0,
) -> Usage:
    """What a load costs.

    Args:
        contender: makes the servers and the clients.
        load: what clients do.
        seconds: how long it is measured.
        redis: the ports of the Redis servers under the contender.
        servers: how many there are; clients are spread over them.
        count_bytes: count the bytes of clients, with a relay before each server, which takes time.
        settle: seconds from the first events of all streams to the beginning of the measurement.

    """
    with ExitStack() as stack:
        pipes = [stack.enter_context(process(_serve, contender)) for _ in range(servers)]
        addresses = [pipe.recv() for pipe in pipes]
        relays: list[Connection] = []
        if count_bytes:
            relays = [stack.enter_context(process(relay, address)) for address in addresses]
            addresses = [pipe.recv() for pipe in relays]
        clients = stack.enter_context(process(_load, contender, addresses, load))
        clients.recv()

        def snapshot() -> tuple[list[float], RedisUsage]:
            used = [ask(pipe) for pipe in pipes]
            bytes_ = [ask(pipe) for pipe in relays]
            figures = [time.monotonic(), *ask(clients), sum(cpu for cpu, _ in used), sum(memory for _, memory in used)]
            return figures + [float(sum(each[way] for each in bytes_)) for way in (0, 1)], redis_usage(redis)

        time.sleep(settle)
        before, redis_before = snapshot()
        time.sleep(seconds)
        after, redis_after = snapshot()
    taken = [late - early for early, late in zip(before, after, strict=True)]
    grown = RedisUsage(*(late - early for early, late in zip(redis_before, redis_after, strict=True)))
    return Usage(taken[0], int(taken[1]), int(taken[2]), taken[3], int(after[4]), int(taken[5]), int(taken[6]), grown)
