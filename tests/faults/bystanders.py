"""Well-behaved clients during an attack, and their latencies and errors."""

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
"""The time within which a new client must be served."""


@dataclass
class Bystanders:
    """Latencies and errors of the bystanders.

    Attributes:
        events: seconds from the sending of each event to its delivery.
        newcomers: seconds from the start of each new client to its first event.
        checks: seconds for each health check over a new connection.
        errors: descriptions of failures.

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
async def bystanders(address: str, token: str) -> AsyncIterator[Bystanders]:
    """Runs a publisher, a subscriber, new clients that read one event, and health checks until the context ends.

    Only results within the context count: clients that are active at its end are cancelled.
    """
    seen = Bystanders()
    stream_id = f"bystander-{time.monotonic_ns()}"
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


async def _subscribe(client: AsyncEventStreamClient, stream_id: str, seen: Bystanders) -> None:
    async for made in client.subscribe(stream_id):
        seen.events.append(time.perf_counter() - made.image_generation_call_generating.output_index)


async def _come(address: str, token: str, stream_id: str, opened: asyncio.Event, seen: Bystanders) -> None:
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


async def _check(address: str, seen: Bystanders) -> None:
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
    """Returns an event that carries the time of its sending."""
    made = event("bystander", 0)
    made.image_generation_call_generating.output_index = time.perf_counter()
    return made


def _p99(seconds: list[float]) -> str:
    return _ms(sorted(seconds)[len(seconds) * 99 // 100])


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.0f} ms"
