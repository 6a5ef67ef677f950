"""Graceful shutdown: acknowledged events are stored, every call ends, and no peer can delay the exit."""

import asyncio
import logging
from contextlib import AsyncExitStack, suppress

import grpc
import pytest

from openresponses_grpc import AsyncEventStreamClient
from openresponses_grpc.client._errors import StreamError, stream_error
from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.store import Append, MemoryStore, StoreLimits
from openresponses_grpc.v1.stream_service_pb2 import (
    PublishRequest,
    PublishResponse,
    SubscribeRequest,
    SubscribeResponse,
)
from openresponses_grpc.v1.stream_service_pb2_grpc import OpenResponsesStreamServiceStub

from ..support.events import event


async def stored(store: MemoryStore, stream_id: str) -> list[bytes]:
    """Returns all events of a stream."""
    events: list[bytes] = []
    while batch := (await store.read(stream_id, len(events), epoch=None, max_bytes=1 << 20, timeout=0)).events:
        events += batch
    return events


async def test_a_shutdown_stores_everything_acknowledged_and_ends_every_publisher() -> None:
    store = MemoryStore()
    acknowledged = [0] * 20
    busy = asyncio.Event()

    async def publish(index: int, channel: grpc.aio.Channel) -> StreamError:
        call = OpenResponsesStreamServiceStub(channel).Publish()
        try:
            while True:
                # Several messages are always in flight; none waits for its acknowledgement.
                with suppress(asyncio.InvalidStateError):  # the call has ended: read raises its status
                    for _ in range(5):
                        await call.write(PublishRequest(stream_id=str(index), events=[event(0)]))
                for _ in range(5):
                    response = await call.read()
                    assert isinstance(response, PublishResponse)
                    acknowledged[index] = response.next_offset
                if min(acknowledged) > 50:
                    busy.set()
        except grpc.aio.AioRpcError as error:
            return stream_error(error, server="server", secure=False)

    async with AsyncExitStack() as stack:
        async with running_server(StreamService(store), "127.0.0.1:0") as address:
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(address))
            publishers = [asyncio.create_task(publish(index, channel)) for index in range(len(acknowledged))]
            await busy.wait()
        errors = await asyncio.gather(*publishers)
    assert {(error.code, error.retryable) for error in errors} == {(grpc.StatusCode.UNAVAILABLE, True)}
    for index, offset in enumerate(acknowledged):
        assert len(await stored(store, str(index))) >= offset > 50


async def test_a_peer_that_does_not_read_delays_shutdown_only_for_the_grace_period(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = MemoryStore(StoreLimits(max_bytes=1 << 30, max_stream_bytes=1 << 30))
    for n in range(64):
        await store.append(Append("s", [event(n, padding=1 << 20).SerializeToString()]))
    async with AsyncExitStack() as stack:
        async with running_server(StreamService(store), "127.0.0.1:0", grace=0.5) as address:
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(address))
            stuck = OpenResponsesStreamServiceStub(channel).Subscribe(SubscribeRequest(stream_id="s"))
            await stuck.initial_metadata()
            client = await stack.enter_async_context(AsyncEventStreamClient(address))
            await anext(client.subscribe("s", start_offset=63))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            while isinstance(await stuck.read(), SubscribeResponse):
                pass
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
