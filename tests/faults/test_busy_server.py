"""A server whose event loop is busy for longer than gRPC's default limit serves the calls that wait for it."""

import asyncio
import time

import grpc
import pytest

from openresponses_grpc import EventStreamClient

from .traffic import Stream

pytestmark = pytest.mark.faults

CALLS = 5
BUSY = 35
"""Seconds that the event loop is busy. By default, gRPC cancels calls that have waited for 30."""


async def test_calls_wait_for_a_busy_server(server: str, channel: grpc.aio.Channel) -> None:
    stream = Stream("s")
    await stream.publish_at_once(channel, 3)
    loop = asyncio.get_running_loop()
    with EventStreamClient(server) as client:
        calls = [loop.run_in_executor(None, stream.subscribe_in_thread, client) for _ in range(CALLS)]
        time.sleep(BUSY)  # noqa: ASYNC251 - the server shares this event loop
        await asyncio.gather(*calls)
    verdict = stream.verdict()
    assert verdict.subscribers == CALLS
    assert not verdict.faults
