"""What a server does not let a client have: each limit against a real server, with its status."""

import asyncio
import itertools
from contextlib import AsyncExitStack, aclosing
from typing import Any

import grpc
import pytest

from openresponses_grpc import AsyncEventStreamClient, EventStreamClient, StreamError
from openresponses_grpc.client._channel import OPTIONS
from openresponses_grpc.client._errors import stream_error
from openresponses_grpc.server._calls import Timeouts
from openresponses_grpc.server._server import OPTIONS as SERVER_OPTIONS
from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.store import MemoryStore, StoreLimits
from openresponses_grpc.v1.stream_service_pb2 import PublishRequest, PublishResponse, SubscribeRequest
from openresponses_grpc.v1.stream_service_pb2_grpc import OpenResponsesStreamServiceStub

from ..faults.proxy import Proxy
from ..support.events import event, number


async def subscribed(channel: grpc.aio.Channel, stream_id: str = "s") -> Any:
    """A subscription that the server has let in."""
    call = OpenResponsesStreamServiceStub(channel).Subscribe(SubscribeRequest(stream_id=stream_id))
    try:
        await call.initial_metadata()
        if call.done():
            await call.read()
    except grpc.aio.AioRpcError as error:
        raise stream_error(error, server="server", secure=False) from None
    return call


async def test_a_message_has_a_size() -> None:
    service = StreamService(MemoryStore())
    async with (
        running_server(service, "127.0.0.1:0", max_message_bytes=1000) as address,
        AsyncEventStreamClient(address) as client,
    ):
        with pytest.raises(StreamError) as caught:
            async with client.publish("s") as publisher:
                await publisher.send(event(0))
                await publisher.flush()
                await publisher.send(event(1, padding=1000))
        assert caught.value.code == grpc.StatusCode.RESOURCE_EXHAUSTED
        async with client.publish("s"):
            pass
        assert [number(made) async for made in client.subscribe("s")] == [0]


async def test_metadata_has_a_size(channel: grpc.aio.Channel) -> None:
    call: Any = OpenResponsesStreamServiceStub(channel).Publish(metadata=(("key", "x" * 20_000),))
    assert await call.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    (await subscribed(channel)).cancel()


async def test_calls_have_a_number() -> None:
    service = StreamService(MemoryStore(), max_calls=3)
    async with (
        running_server(service, "127.0.0.1:0") as address,
        grpc.aio.insecure_channel(address) as channel,
        grpc.aio.insecure_channel(address) as another,
    ):
        publisher = OpenResponsesStreamServiceStub(channel).Publish()
        await publisher.write(PublishRequest(stream_id="s", events=[event(0)]))
        assert isinstance(await publisher.read(), PublishResponse)
        calls = [await subscribed(channel), await subscribed(another)]
        with pytest.raises(StreamError) as caught:
            await subscribed(another)
        assert (caught.value.code, caught.value.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS")
        assert caught.value.retry_after
        for call in calls:
            assert len((await call.read()).events) == 1
        calls[0].cancel()
        await let_in(another)


async def let_in(channel: grpc.aio.Channel) -> None:
    """Returns when the server has a place for another call."""
    while True:
        try:
            (await subscribed(channel)).cancel()
        except StreamError as error:
            assert error.reason == "TOO_MANY_CALLS"
        else:
            return


async def test_a_client_opens_as_many_connections_as_its_calls_need(server: str) -> None:
    count = 250
    async with AsyncEventStreamClient(server) as client, AsyncExitStack() as stack:
        publisher = await stack.enter_async_context(client.publish("s"))
        subscribers = [await stack.enter_async_context(aclosing(client.subscribe("s"))) for _ in range(count)]
        await publisher.send(event(7))
        received = await asyncio.gather(*(anext(subscriber) for subscriber in subscribers))
        assert [number(made) for made in received] == [7] * count


async def test_so_does_the_client_for_threads(server: str) -> None:
    def subscribe() -> list[int]:
        with EventStreamClient(server) as client, client.publish("s") as publisher:
            publisher.send(event(7))
            # Each has its call open until its end is asked for.
            subscribers = [client.subscribe("s") for _ in range(120)]
            received = [number(made) for made in itertools.chain(*(itertools.islice(one, 1) for one in subscribers))]
            for subscriber in subscribers:
                subscriber.close()
            return received

    assert await asyncio.to_thread(subscribe) == [7] * 120


async def test_a_connection_has_a_hundred_calls(channel: grpc.aio.Channel, server: str) -> None:
    calls = [await subscribed(channel) for _ in range(100)]
    waits = asyncio.create_task(subscribed(channel))
    async with grpc.aio.insecure_channel(server, options=OPTIONS) as another:
        (await subscribed(another)).cancel()
    assert not waits.done()
    calls[0].cancel()
    await waits


EVENTS = 64


async def publish_more_than_a_connection_holds(client: AsyncEventStreamClient, stream_id: str) -> None:
    async with client.publish(stream_id) as publisher:
        for n in range(EVENTS):
            await publisher.send(event(n, padding=1 << 20))


async def test_a_subscriber_who_does_not_read_loses_its_place_and_resumes_where_it_was() -> None:
    store = MemoryStore(StoreLimits(max_bytes=1 << 30, max_stream_bytes=1 << 30))
    service = StreamService(store, max_calls=1, timeouts=Timeouts(write=0.2))
    async with (
        running_server(service, "127.0.0.1:0") as address,
        grpc.aio.insecure_channel(address) as another,
        AsyncEventStreamClient(address) as client,
    ):
        await publish_more_than_a_connection_holds(client, "s")
        async with aclosing(client.subscribe("s")) as subscriber:
            received = [number(await anext(subscriber))]
            await let_in(another)
            received += [number(made) async for made in subscriber]
        assert received == list(range(EVENTS))


async def test_it_is_told_when_it_reads_at_last() -> None:
    store = MemoryStore(StoreLimits(max_bytes=1 << 30, max_stream_bytes=1 << 30))
    service = StreamService(store, max_calls=1, timeouts=Timeouts(write=0.2))
    async with (
        running_server(service, "127.0.0.1:0") as address,
        grpc.aio.insecure_channel(address) as another,
        AsyncEventStreamClient(address) as client,
    ):
        await publish_more_than_a_connection_holds(client, "s")
        async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
            call = await subscribed(channel)
            await let_in(another)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                while (await call.read()).events:
                    pass
        error = stream_error(caught.value, server="server", secure=False)
        assert (error.code, error.reason, error.retryable) == (grpc.StatusCode.ABORTED, "PEER_NOT_READING", True)


async def test_a_publisher_who_does_not_read_its_acknowledgements_loses_its_place() -> None:
    service = StreamService(MemoryStore(), max_calls=1, timeouts=Timeouts(write=0.2))
    async with (
        running_server(service, "127.0.0.1:0") as address,
        grpc.aio.insecure_channel(address) as another,
        # Its window for acknowledgements is small, and stays so.
        grpc.aio.insecure_channel(
            address, options=[("grpc.http2.lookahead_bytes", 1000), ("grpc.http2.bdp_probe", 0)]
        ) as channel,
    ):
        publisher = OpenResponsesStreamServiceStub(channel).Publish()

        async def publish() -> None:
            while True:
                await publisher.write(PublishRequest(stream_id="s"))

        publishing = asyncio.create_task(publish())
        await publisher.initial_metadata()
        await let_in(another)
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)


async def test_a_call_over_a_connection_that_fell_silent_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    impatient = {"grpc.keepalive_time_ms": 1000, "grpc.keepalive_timeout_ms": 500, "grpc.http2.ping_timeout_ms": 500}
    monkeypatch.setattr("openresponses_grpc.server._server.OPTIONS", [*({**dict(SERVER_OPTIONS), **impatient}).items()])
    async with running_server(StreamService(MemoryStore(), max_calls=1), "127.0.0.1:0") as address:
        proxy = Proxy(int(address.rpartition(":")[2]))
        async with (
            proxy.running() as through_proxy,
            grpc.aio.insecure_channel(through_proxy) as silent,
            grpc.aio.insecure_channel(address) as another,
        ):
            await subscribed(silent)
            proxy.black_hole()
            await let_in(another)
