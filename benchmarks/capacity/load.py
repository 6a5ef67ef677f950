"""Runs streams that grow at a steady rate, and measures their cost on the servers."""

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

from ..redis_nodes import RedisUsage, redis_usage
from ..stream.chain import process
from ..stream.contender import Client, Contender
from .answering import answering, ask, relay


@dataclass(frozen=True)
class Load:
    """The load from the clients.

    Attributes:
        streams: number of open streams, each with one publisher.
        readers: number of subscribers of each stream.
        rate: events per second in each stream.
        together: number of events that a publisher sends at once, in one message.

    """

    streams: int
    readers: int
    rate: float
    together: int = 1


@dataclass(frozen=True)
class Usage:
    """The resources that a load used.

    Attributes:
        seconds: duration of the measurement.
        published: number of published events.
        delivered: number of delivered events.
        cpu: CPU time of all servers, in seconds.
        clients_cpu: CPU time of the two client processes, in seconds.
        memory: memory of all servers, in bytes.
        to_servers: bytes from clients to servers; 0 if not counted.
        from_servers: bytes from servers to clients; 0 if not counted.
        redis: resources used by the Redis servers.

    """

    seconds: float
    published: int
    delivered: int
    cpu: float
    clients_cpu: float
    memory: int
    to_servers: int
    from_servers: int
    redis: RedisUsage

    def __str__(self) -> str:
        rates = ((name, getattr(self, name) / self.seconds) for name in ("published", "delivered"))
        cores = (("servers", self.cpu), ("Redis", self.redis.cpu), ("clients", self.clients_cpu))
        return ", ".join(
            [*(f"{name} {rate:,.0f}/s" for name, rate in rates)]
            + [f"{name} {cpu / self.seconds:.2f} cores" for name, cpu in cores]
        )


async def _serve(pipe: Connection, contender: Contender) -> None:
    def figures() -> tuple[float, int]:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return time.process_time(), pages * os.sysconf("SC_PAGE_SIZE")

    async with contender.serve() as address:
        pipe.send(address)
        await answering(pipe, figures)


async def _publish(pipe: Connection, contender: Contender, addresses: Sequence[str], load: Load, prefix: str) -> None:
    events = contender.events(1000)
    published = 0
    over = asyncio.Event()

    async def publish(client: Client, number: int) -> None:
        nonlocal published
        async with client.publishing(f"{prefix}-{number}") as send:
            await send(events[0])
            published += 1
            if not load.rate:
                await over.wait()
                return
            due = time.monotonic() + random.uniform(0, load.together / load.rate)
            while not over.is_set():
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                due += load.together / load.rate
                for _ in range(load.together):
                    await send(events[published % len(events)])
                    published += 1

    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        clients = [await stack.enter_async_context(contender.connect(address)) for address in addresses]
        for number in range(load.streams):
            tasks.create_task(publish(clients[number % len(clients)], number))
        await answering(pipe, lambda: (published, time.process_time()))
        over.set()


async def _subscribe(pipe: Connection, contender: Contender, addresses: Sequence[str], load: Load, prefix: str) -> None:
    delivered = 0
    started: set[tuple[int, int]] = set()

    async def subscribe(client: Client, number: int, reader: int) -> None:
        nonlocal delivered
        async for _ in client.subscribe(f"{prefix}-{number}"):
            delivered += 1
            started.add((number, reader))

    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        clients = [await stack.enter_async_context(contender.connect(address)) for address in addresses]
        for number in range(load.streams):
            for reader in range(load.readers):
                tasks.create_task(subscribe(clients[(number + reader + 1) % len(clients)], number, reader))
        await answering(pipe, lambda: (delivered, time.process_time(), len(started)))


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
    """Measures the resources that a load uses.

    Args:
        contender: provides the servers and the clients.
        load: load from the clients.
        seconds: duration of the measurement.
        redis: ports of the Redis servers that the contender uses.
        servers: number of servers, over which the clients are spread.
        count_bytes: count the bytes of clients with a relay in front of each server, which costs time.
        settle: seconds between the first events of all streams and the start of the measurement.

    """
    with ExitStack() as stack:
        pipes = [stack.enter_context(process(_serve, contender)) for _ in range(servers)]
        addresses = [pipe.recv() for pipe in pipes]
        relays: list[Connection] = []
        if count_bytes:
            relays = [stack.enter_context(process(relay, address)) for address in addresses]
            addresses = [pipe.recv() for pipe in relays]
        prefix = f"{random.getrandbits(64):x}"
        subscribers = stack.enter_context(process(_subscribe, contender, addresses, load, prefix))
        publishers = stack.enter_context(process(_publish, contender, addresses, load, prefix))
        while ask(publishers)[0] < load.streams or ask(subscribers)[2] < load.streams * load.readers:
            time.sleep(0.1)

        def snapshot() -> tuple[list[float], RedisUsage]:
            (published, publishing), (delivered, subscribing, _) = ask(publishers), ask(subscribers)
            used = [ask(pipe) for pipe in pipes]
            bytes_ = [ask(pipe) for pipe in relays]
            figures = [time.monotonic(), published, delivered, sum(cpu for cpu, _ in used), publishing + subscribing]
            figures += [sum(memory for _, memory in used)]
            return figures + [float(sum(each[way] for each in bytes_)) for way in (0, 1)], redis_usage(redis)

        time.sleep(settle)
        before, redis_before = snapshot()
        time.sleep(seconds)
        after, redis_after = snapshot()
    taken = [late - early for early, late in zip(before, after, strict=True)]
    grown = RedisUsage(*(late - early for early, late in zip(redis_before, redis_after, strict=True)))
    seconds_, published, delivered, cpu, clients_cpu, _, sent, received = taken
    return Usage(
        seconds_, int(published), int(delivered), cpu, clients_cpu, int(after[5]), int(sent), int(received), grown
    )
