"""Runs a server, a publisher and subscribers, each in its own process."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from .contender import Contender

_context = multiprocessing.get_context("spawn")


def _run(work: Callable[..., Awaitable[None]], *arguments: Any) -> None:
    asyncio.run(work(*arguments))  # type: ignore[arg-type]


@contextmanager
def process(work: Callable[..., Awaitable[None]], *arguments: Any) -> Iterator[Connection]:
    """Runs a function in a process, with one end of a pipe. Yields the other end."""
    here, there = _context.Pipe()
    process = _context.Process(target=_run, args=(work, there, *arguments))
    process.start()
    there.close()
    try:
        yield here
    finally:
        here.close()
        process.join(60)
        if process.exitcode is None:
            process.kill()


async def _until_closed(pipe: Connection) -> None:
    """Waits until the other process closes the pipe."""
    closed = asyncio.Event()
    asyncio.get_running_loop().add_reader(pipe.fileno(), closed.set)
    await closed.wait()


async def _serve(pipe: Connection, contender: Contender) -> None:
    async with contender.serve() as address:
        pipe.send(address)
        await _until_closed(pipe)


async def _publish(pipe: Connection, contender: Contender, address: str, stream_id: str, count: int) -> None:
    events = contender.events(min(count, 10_000))
    async with contender.connect(address) as client:
        pipe.send(None)
        await asyncio.to_thread(pipe.recv)
        start = time.monotonic()
        async with client.publishing(stream_id) as send:
            for _ in range(count // len(events)):
                for event in events:
                    await send(event)
        pipe.send((start, time.monotonic()))


async def _subscribe(
    pipe: Connection, contender: Contender, address: str, stream_id: str, count: int, subscribers: int
) -> None:
    async def read() -> None:
        received = 0
        async for _ in client.subscribe(stream_id):
            received += 1
        if received != count:
            raise RuntimeError(f"{received} events instead of {count}")

    async with contender.connect(address) as client:
        pipe.send(None)
        await asyncio.to_thread(pipe.recv)
        start = time.monotonic()
        await asyncio.gather(*(read() for _ in range(subscribers)))
        pipe.send((start, time.monotonic()))


def live(contender: Contender, count: int, subscribers: int) -> float:
    """Returns the seconds from the first sent event to the last one received by the last subscriber."""
    with process(_serve, contender) as server:
        address = server.recv()
        with (
            process(_subscribe, contender, address, "s", count, subscribers) as subscriber,
            process(_publish, contender, address, "s", count) as publisher,
        ):
            publisher.recv(), subscriber.recv()
            subscriber.send(None)
            publisher.send(None)
            start, _ = publisher.recv()
            _, end = subscriber.recv()
            return float(end - start)


def stored(contender: Contender, count: int) -> tuple[float, float]:
    """Returns the seconds to publish a stream, and to read it afterwards."""
    with process(_serve, contender) as server:
        address = server.recv()
        with process(_publish, contender, address, "s", count) as publisher:
            publisher.recv()
            publisher.send(None)
            start, end = publisher.recv()
            published = end - start
        with process(_subscribe, contender, address, "s", count, 1) as subscriber:
            subscriber.recv()
            subscriber.send(None)
            start, end = subscriber.recv()
            return float(published), float(end - start)


async def _pace(pipe: Connection, contender: Contender, address: str, count: int, rate: int) -> None:
    """Sends events at a rate and reads them with the same client. Reports the delay of each event, in seconds."""
    events = contender.events(count)
    sent: list[float] = []
    delays: list[float] = []

    async def read() -> None:
        async for _ in client.subscribe("s"):
            delays.append(time.perf_counter() - sent[len(delays)])

    async with contender.connect(address) as client:
        async with client.publishing("s") as send:
            reader = asyncio.create_task(read())
            start = time.perf_counter()
            for number, event in enumerate(events):
                if (pause := start + number / rate - time.perf_counter()) > 0:
                    await asyncio.sleep(pause)
                sent.append(time.perf_counter())
                await send(event)
        await reader
    pipe.send(delays)


def delays(contender: Contender, count: int, rate: int) -> list[float]:
    """Returns the delay of each event from publisher to subscriber, in seconds, at a given rate."""
    with process(_serve, contender) as server:
        address = server.recv()
        with process(_pace, contender, address, count, rate) as client:
            received: list[float] = client.recv()
            return received
