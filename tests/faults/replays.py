"""Subscribers during a fault: how long each waits for the first events of a stream, and its status."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc

from openresponses_grpc.v1.stream_service_pb2 import SubscribeRequest
from openresponses_grpc.v1.stream_service_pb2_grpc import OpenResponsesStreamServiceStub


class Replays:
    """Latencies and errors of the subscribers of a stream.

    Attributes:
        seconds: the time until the first response of each.
        errors: the number of calls without a response, by status.

    """

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.errors: Counter[str] = Counter()

    def __str__(self) -> str:
        ranked = sorted(self.seconds)
        p99 = ranked[int(len(ranked) * 0.99)] * 1000 if ranked else float("nan")
        return f"{len(ranked)} reads, p99 {p99:.1f} ms, errors {dict(self.errors) or 0}"


@asynccontextmanager
async def replays(address: str, stream_id: str) -> AsyncIterator[Replays]:
    """Subscribes again and again until the context ends."""
    seen = Replays()

    async def read() -> None:
        async with grpc.aio.insecure_channel(address) as channel:
            while True:
                started = time.perf_counter()
                call = OpenResponsesStreamServiceStub(channel).Subscribe(SubscribeRequest(stream_id=stream_id))
                try:
                    await call.read()
                    seen.seconds.append(time.perf_counter() - started)
                except grpc.aio.AioRpcError as error:
                    seen.errors[error.code().name] += 1
                finally:
                    call.cancel()
                await asyncio.sleep(0.005)

    task = asyncio.create_task(read())
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.wait((task,))
