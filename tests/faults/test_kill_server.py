"""`kill -9` and restart of a server over a file, and over memory."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from openresponses_grpc import AsyncEventStreamClient, StreamError

from .processes import server
from .traffic import Stream
from .validator import Fault

pytestmark = pytest.mark.faults


async def test_kill_9_of_the_server_loses_nothing(tmp_path: Path, factor: int, report: Callable[[str], None]) -> None:
    stream = Stream("s")
    store = f"sqlite:{tmp_path / 'streams.db'}"
    async with server(store) as process, stream.traffic(process.address, subscribers=20):
        for kill in range(30 * factor):
            # Two of three kills hit running traffic; the third can hit clients that are reconnecting.
            if kill % 3:
                await stream.wait_for_progress()
            await asyncio.sleep(random.uniform(0, 0.5))
            await process.kill()
            await process.start()
    verdict = stream.verdict()
    report(f"kills {process.kills}, {verdict}")
    assert not verdict.faults


async def test_after_kill_9_of_a_memory_store_nobody_gets_another_stream(
    report: Callable[[str], None],
) -> None:
    stream, other = Stream("s"), Stream("s")
    async with server("memory:") as process, AsyncEventStreamClient(process.address) as client:
        calls = [asyncio.ensure_future(stream.publish(client, lambda: False, pause=0.01))]
        calls += [asyncio.ensure_future(stream.subscribe(client)) for _ in range(10)]
        await stream.wait_until_started(process.address, subscribers=10)
        await process.kill()
        await process.start()
        async with grpc.aio.insecure_channel(process.address) as channel:
            await other.publish_at_once(channel, 10_000)
        ends = await asyncio.gather(*calls, return_exceptions=True)
    verdict = stream.verdict()
    report(f"kills {process.kills}, {verdict}")
    reasons = {end.reason if isinstance(end, StreamError) else end for end in ends}
    assert reasons <= {"STREAM_NOT_FOUND", "EPOCH_MISMATCH"}
    assert set(verdict.faults) <= {Fault.LOST}
