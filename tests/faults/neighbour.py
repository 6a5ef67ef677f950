"""A token with moderate traffic that measures its service."""

from __future__ import annotations

import asyncio
import logging
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from openresponses_grpc import AsyncEventStreamClient

from .traffic import event

STREAMS: Final = 10
PAUSE: Final = 0.02
"""Seconds between two events of a stream: 50 events a second, the rate of text deltas of a fast model."""


class Figures(NamedTuple):
    """Events a second, and the 99th percentile of the delays in seconds."""

    rate: float
    p99: float

    def __str__(self) -> str:
        return f"{self.rate:.0f} events/s, p99 {self.p99 * 1e3:.0f} ms"


class Neighbour:
    """Streams that are published at an even pace, each with a subscriber.

    Attributes:
        retries: log lines of the client library about its retries.

    """

    def __init__(self, client: AsyncEventStreamClient) -> None:
        self.retries: list[str] = []
        self._client = client
        self._delays: list[float] = []

    async def finish(self, stream_ids: list[str]) -> None:
        """Publishes streams of 100 events each and ends them."""
        for stream_id in stream_ids:
            async with self._client.publish(stream_id) as publisher:
                for number in range(100):
                    await publisher.send(event(stream_id, number, padding=200))

    async def replay(self, stream_ids: list[str]) -> int:
        """Reads the streams; returns the number of their events."""
        return sum([len([made async for made in self._client.subscribe(stream_id)]) for stream_id in stream_ids])

    @asynccontextmanager
    async def traffic(self) -> AsyncIterator[None]:
        """Publishes and subscribes until the context ends; any error is raised."""
        handler = logging.Handler()
        handler.emit = lambda record: self.retries.append(record.getMessage())  # type: ignore[method-assign]
        logger = logging.getLogger("openresponses_grpc.client")
        logger.addHandler(handler)
        over = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(STREAMS):
                    sent: list[float] = []
                    group.create_task(self._publish(f"neighbour {number}", sent, over))
                    group.create_task(self._subscribe(f"neighbour {number}", sent))
                yield
                over.set()
        finally:
            logger.removeHandler(handler)

    async def measure(self, seconds: float) -> Figures:
        """Measures the traffic of the next seconds."""
        self._delays.clear()
        started = time.perf_counter()
        await asyncio.sleep(seconds)
        delays = [*self._delays]
        assert delays, "nothing arrived"
        return Figures(len(delays) / (time.perf_counter() - started), statistics.quantiles(delays, n=100)[98])

    async def _publish(self, stream_id: str, sent: list[float], over: asyncio.Event) -> None:
        due = time.perf_counter()
        async with self._client.publish(stream_id) as publisher:
            while not over.is_set():
                sent.append(time.perf_counter())
                await publisher.send(event(stream_id, len(sent) - 1, padding=200))
                await publisher.flush()
                # A late acknowledgement delays the next event: it lowers the rate and causes no burst.
                due = max(due + PAUSE, time.perf_counter())
                await asyncio.sleep(due - time.perf_counter())

    async def _subscribe(self, stream_id: str, sent: list[float]) -> None:
        number = 0
        async with self._client.subscribe(stream_id) as subscription:
            async for made in subscription:
                assert made.image_generation_call_generating.sequence_number == number
                self._delays.append(time.perf_counter() - sent[number])
                number += 1
        assert number == len(sent)
