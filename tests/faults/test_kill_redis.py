"""`kill -9` of Redis, and of one of two servers over one Redis."""

import asyncio
import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from ..support.redis_server import running
from .processes import server
from .stores import durable_redis
from .traffic import Stream

pytestmark = pytest.mark.faults


async def test_kill_9_of_redis_loses_nothing(tmp_path: Path, factor: int, report: Callable[[str], None]) -> None:
    stream = Stream("s")
    kills = 10 * factor
    with running(durable_redis(tmp_path)) as redis:
        async with server(redis.url) as process, stream.traffic(process.address, subscribers=10):
            for _ in range(kills):
                await stream.wait_for_progress()
                await asyncio.sleep(random.uniform(0, 0.3))
                redis.end(signal.SIGKILL)
                await asyncio.sleep(random.uniform(0, 0.3))
                await asyncio.to_thread(redis.start)
    verdict = stream.verdict()
    report(f"kills {kills}, {verdict}")
    assert not verdict.faults


async def test_kill_9_of_one_of_two_servers_over_redis_loses_nothing(
    tmp_path: Path, factor: int, report: Callable[[str], None]
) -> None:
    stream = Stream("s")
    with running(durable_redis(tmp_path)) as redis:
        async with server(redis.url) as one, server(redis.url) as two:
            targets = f"ipv4:{one.address},{two.address}", f"ipv4:{two.address},{one.address}"
            async with stream.traffic(*targets, subscribers=10):
                for _ in range(10 * factor):
                    await asyncio.sleep(random.uniform(0, 0.3))
                    victim = random.choice((one, two))
                    await victim.kill()
                    # The other server carries all traffic.
                    await stream.wait_for_progress()
                    await victim.start()
    verdict = stream.verdict()
    report(f"kills {one.kills + two.kills}, {verdict}")
    assert not verdict.faults
