"""Those who do nothing wrong beside an attack, and what they see of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub

from openresponses_grpc import AsyncEventStreamClient
from openresponses_grpc.client._channel import OPTIONS
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from .traffic import event

_PAUSE: Final = 0.01
_NEWCOMER_PAUSE: Final = 0.2
NEWCOMER_SECONDS: Final = 5.0
"""Within these a newcomer is served."""


@dataclass
class Innocents:
    """What they saw.

    Attributes:
        events: seconds from the sending of each event to its arrival at a subscriber.
        newcomers: seconds from each new client's beginning to its first event.
        checks: seconds that each health check over a new connection took.
        errors: what went wrong.

    """

    events: list[float] = field(default_factory=list)
    newcomers: list[float] = field(default_factory=list)
    checks: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"events {len(self.events):,} p99 {_p99(self.events)} worst {_ms(max(self.events))},"
            f" newcomers {len(self.newcomers):,} p99 {_p99(self.newcomers)},"
            f" health checks {len(self.checks):,} p99 {_p99(self.checks)}, errors {len(self.errors)}"
        )


@asynccontextmanager
async def innocents(address: str, token: str) -> AsyncIterator[Innocents]:
    """A publisher and its subscriber, clients that come and read one event, and health checks, until the context ends.

    They count only while it lasts: who comes to the end of it may be half served.
    """
    seen = Innocents()
    stream_id = f"innocent-{time.monotonic_ns()}"
    async with AsyncEventStreamClient(address, token=token) as client, asyncio.TaskGroup() as group:
        opened = asyncio.Event()
        tasks = [
            group.create_task(_publish(client, stream_id, opened)),
            group.create_task(_subscribe(client, stream_id, seen)),
            group.create_task(_come(address, token, stream_id, opened, seen)),
            group.create_task(_check(address, seen)),
        ]
        await opened.wait()
        yield seen
        for task in tasks:
            task.cancel()


async def _publish(client: AsyncEventStreamClient, stream_id: str, opened: asyncio.Event) -> None:
    async with client.publish(stream_id) as publisher:
        while True:
            await publisher.send(_stamped())
            opened.set()
            await asyncio.sleep(_PAUSE)


async def _subscribe(client: AsyncEventStreamClient, stream_id: str, seen: Innocents) -> None:
    async for made in client.subscribe(stream_id):
        seen.events.append(time.perf_counter() - made.image_generation_call_generating.output_index)


async def _come(address: str, token: str, stream_id: str, opened: asyncio.Event, seen: Innocents) -> None:
    await opened.wait()
    while True:
        began = time.perf_counter()
        try:
            async with (
                asyncio.timeout(NEWCOMER_SECONDS),
                AsyncEventStreamClient(address, token=token, wait_for_ready=True) as client,
                aclosing(client.subscribe(stream_id)) as subscription,
            ):
                await anext(subscription)
        except Exception as error:
            seen.errors.append(f"newcomer: {error!r}")
        seen.newcomers.append(time.perf_counter() - began)
        await asyncio.sleep(_NEWCOMER_PAUSE)


async def _check(address: str, seen: Innocents) -> None:
    while True:
        began = time.perf_counter()
        try:
            async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
                check = HealthStub(channel).Check
                await check(HealthCheckRequest(), timeout=NEWCOMER_SECONDS, wait_for_ready=True)
        except grpc.aio.AioRpcError as error:
            seen.errors.append(f"health check: {error.code().name} {error.details()}")
        seen.checks.append(time.perf_counter() - began)
        await asyncio.sleep(_NEWCOMER_PAUSE)


def _stamped() -> OpenResponsesStreamEvent:
    """An event with the time at which it is sent."""
    made = event("innocent", 0)
    made.image_generation_call_generating.output_index = time.perf_counter()
    return made


def _p99(seconds: list[float]) -> str:
    return _ms(sorted(seconds)[len(seconds) * 99 // 100])


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.0f} ms"
