"""Attacks by one token on its share of a server; run by attacks.py."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack, suppress
from itertools import count
from typing import Any, Final

import grpc

from openresponses_grpc.client._channel import OPTIONS
from openresponses_grpc.codec._raw_messages import PUBLISH
from openresponses_grpc.v1.stream_service_pb2 import PublishRequest
from openresponses_grpc.v1.stream_service_pb2_grpc import OpenResponsesStreamServiceStub

from .peers import connected
from .traffic import event

TOKEN: Final = "greedy"
METADATA: Final = (("authorization", f"Bearer {TOKEN}"),)

_numbers = count()


async def fill_the_store(port: int, tally: Counter[str]) -> None:
    """Publishes open streams in events of 1 MiB; retries at once when refused."""
    await _publish(port, tally, end_of_stream=False)


async def churn_the_store(port: int, tally: Counter[str]) -> None:
    """Publishes ended streams in events of 1 MiB, which evict earlier ones."""
    await _publish(port, tally, end_of_stream=True)


async def _publish(port: int, tally: Counter[str], *, end_of_stream: bool) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=OPTIONS) as channel:
        stub: Any = OpenResponsesStreamServiceStub(channel)
        while True:
            stream_id = f"greedy {next(_numbers)}"
            request = PublishRequest(stream_id=stream_id, events=[event(stream_id, 0, padding=1 << 20)])
            call = stub.Publish(metadata=METADATA)
            # If the server ends the call, write and read raise different errors, or none.
            with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
                for last in (*[False] * 7, True):
                    request.end_of_stream = last and end_of_stream
                    await call.write(request)
                    if await call.read() is grpc.aio.EOF:
                        break
                    tally["MiB stored"] += 1
                await call.done_writing()
            if await call.code() != grpc.StatusCode.OK:
                assert await call.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, await call.details()
                tally["refusals"] += 1


async def open_empty_streams(port: int, tally: Counter[str]) -> None:
    """Creates empty streams."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=OPTIONS) as channel:
        stub: Any = OpenResponsesStreamServiceStub(channel)
        while True:
            call = stub.Publish(iter([PublishRequest(stream_id=f"greedy {next(_numbers)}")]), metadata=METADATA)
            with suppress(grpc.aio.AioRpcError):
                while await call.read() is not grpc.aio.EOF:
                    pass
            code = await call.code()
            assert code in (grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED)
            tally["empty streams" if code == grpc.StatusCode.OK else "refusals"] += 1


async def open_silent_calls(port: int, tally: Counter[str]) -> None:
    """Opens 100 connections with 100 calls each, never sends a request, and keeps them open."""
    async with AsyncExitStack() as stack:
        for _ in range(100):
            peer = await stack.enter_async_context(connected(port))
            for _ in range(100):
                peer.call(PUBLISH, b"", *METADATA, end=False)
            await peer.send()
            reading = asyncio.create_task(peer.read())
            stack.callback(reading.cancel)
            tally["silent calls"] += 100
            await asyncio.sleep(0)
        await asyncio.get_running_loop().create_future()
