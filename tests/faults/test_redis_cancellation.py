"""Cancellation over Redis: calls end with their clients, and a server exits on SIGTERM."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.request import urlopen

import grpc
import pytest

from openresponses_grpc.client._channel import OPTIONS
from openresponses_grpc.server._server import DRAIN_SECONDS
from openresponses_grpc.v1.stream_service_pb2 import PublishRequest, SubscribeRequest
from openresponses_grpc.v1.stream_service_pb2_grpc import OpenResponsesStreamServiceStub

from ..support.redis_server import running
from .processes import free_port, server
from .stores import durable_redis
from .traffic import event, wait_until

pytestmark = pytest.mark.faults

STREAMS = 50
"""The number of streams. Each has a publisher and a subscriber."""


@asynccontextmanager
async def busy(address: str) -> AsyncIterator[list[int]]:
    """Runs 100 calls that publish and subscribe at full speed; yields the number of messages that each has received."""
    received = [0] * (2 * STREAMS)

    async def publish(channel: grpc.aio.Channel, number: int) -> None:
        call = OpenResponsesStreamServiceStub(channel).Publish()
        for sent in range(1_000_000):
            await call.write(PublishRequest(stream_id=f"s{number}", events=[event(f"s{number}", sent)]))
            await call.read()
            received[number] += 1

    async def subscribe(channel: grpc.aio.Channel, number: int) -> None:
        request = SubscribeRequest(stream_id=f"s{number}")
        async for _ in OpenResponsesStreamServiceStub(channel).Subscribe(request):
            received[STREAMS + number] += 1

    channels = [grpc.aio.insecure_channel(address, options=OPTIONS) for _ in range(2)]
    calls = [
        asyncio.create_task(call(channel, number))
        for channel, call in zip(channels, (publish, subscribe), strict=True)
        for number in range(STREAMS)
    ]
    try:
        yield received
    finally:
        for channel in channels:
            await channel.close()
        await asyncio.gather(*calls, return_exceptions=True)


async def wait_until_started(received: list[int]) -> None:
    """Waits until every call has received messages, and for a random moment."""
    await wait_until(lambda: min(received) > 3)
    await asyncio.sleep(random.uniform(0, 0.1))


def open_calls(metrics: str) -> int:
    """Returns the number of open calls from the metrics of a server."""
    with urlopen(f"http://{metrics}/metrics") as response:
        lines = response.read().decode().splitlines()
    gauges = ("openresponses_open_publishers ", "openresponses_open_subscribers ")
    return sum(int(float(line.split()[1])) for line in lines if line.startswith(gauges))


async def test_calls_end_within_a_second_after_their_clients(
    tmp_path: Path, factor: int, report: Callable[[str], None]
) -> None:
    late, rounds, metrics = 0, 10 * factor, f"127.0.0.1:{free_port()}"
    with running(durable_redis(tmp_path)) as redis:
        async with server(redis.url, "--max-stream-bytes", "1GiB", "--metrics", metrics) as process:
            for _ in range(rounds):
                async with busy(process.address) as received:
                    await wait_until_started(received)
                await asyncio.sleep(1)
                late += open_calls(metrics)
                await wait_until(lambda: not open_calls(metrics))
    report(f"calls whose client closed {2 * STREAMS * rounds:,}, still open after a second {late}")
    assert not late


async def test_a_server_exits_within_its_grace_period_after_sigterm(
    tmp_path: Path, factor: int, report: Callable[[str], None]
) -> None:
    slowest, rounds = 0.0, 10 * factor
    with running(durable_redis(tmp_path)) as redis:
        for _ in range(rounds):
            async with AsyncExitStack() as stack:
                process = await stack.enter_async_context(server(redis.url, "--max-stream-bytes", "1GiB"))
                async with busy(process.address) as received:
                    await wait_until_started(received)
                    started = time.monotonic()
                    await stack.aclose()  # SIGTERM; raises unless the status is 0
                    slowest = max(slowest, time.monotonic() - started)
    report(f"servers stopped {rounds}, the slowest exit took {slowest:.2f} s of {DRAIN_SECONDS:g} s")
    assert slowest < DRAIN_SECONDS
