"""The server is killed, and started again over the same file."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from openresponses_grpc import EventStreamClient, SyncEventStreamClient
from openresponses_grpc.client.channel import OPTIONS

from .processes import server
from .traffic import Stream

pytestmark = pytest.mark.faults


async def test_kill_9_of_the_server_loses_nothing(tmp_path: Path, factor: int, report: Callable[[str], None]) -> None:
    stream = Stream("s")
    over = False
    async with (
        server(f"sqlite:{tmp_path / 'streams.db'}") as process,
        EventStreamClient(process.address) as publishers,
        EventStreamClient(process.address) as subscribers,
        grpc.aio.insecure_channel(process.address, options=OPTIONS) as channel,
    ):
        with SyncEventStreamClient(process.address) as threads:
            async with asyncio.TaskGroup() as group:
                group.create_task(stream.publish(publishers, lambda: over, pause=0.03))
                for _ in range(12):
                    group.create_task(stream.subscribe(subscribers))
                for _ in range(4):
                    group.create_task(asyncio.to_thread(stream.subscribe_in_thread, threads))
                    group.create_task(stream.subscribe_without_the_library(channel))
                await stream.under_way(process.address, subscribers=20)
                for _ in range(30 * factor):
                    # The moment is random in time, as it is for whoever trips over a cable.
                    await asyncio.sleep(random.uniform(0, 1))
                    await process.kill()
                    await process.start()
                over = True
    verdict = stream.verdict()
    report(f"kills {process.kills}, {verdict}")
    assert not verdict.faults
