"""Each limit of a real server, with the status of calls that exceed it."""

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


async def subscribe(channel: grpc.aio.Channel, stream_id: str = "s") -> Any:
    """Opens a subscription that the server has accepted."""
    call = OpenResponsesStreamServiceStub(channel).Subscribe(SubscribeRequest(stream_id=stream_id))
    try:
        await call.initial_metadata()
        if call.done():
            await call.read()
    except grpc.aio.AioRpcError as error:
        raise stream_error(error, server="server", secure=False) from None
    return call


async def test_the_message_size_is_limited() -> None:
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
        assert str(caught.value).endswith("; send smaller events, or raise the server's --max-message-bytes")
        async with client.publish("s"):
            pass
        assert [number(made) async for made in client.subscribe("s")] == [0]


async def test_the_metadata_size_is_limited(channel: grpc.aio.Channel) -> None:
    call: Any = OpenResponsesStreamServiceStub(channel).Publish(metadata=(("key", "x" * 20_000),))
    assert await call.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    (await subscribe(channel)).cancel()


async def test_the_number_of_open_calls_is_limited() -> None:
    service = StreamService(MemoryStore(), max_calls=3)
    async with (
        running_server(service, "127.0.0.1:0") as address,
        grpc.aio.insecure_channel(address) as channel,
        grpc.aio.insecure_channel(address) as another,
    ):
        publisher = OpenResponsesStreamServiceStub(channel).Publish()
        await publisher.write(PublishRequest(stream_id="s", events=[event(0)]))
        assert isinstance(await publisher.read(), PublishResponse)
        calls = [await subscribe(channel), await subscribe(another)]
        with pytest.raises(StreamError) as caught:
            await subscribe(another)
        assert (caught.value.code, caught.value.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS")
        assert caught.value.retry_after
        for call in calls:
            assert len((await call.read()).events) == 1
        calls[0].cancel()
        await wait_for_free_call(another)


async def wait_for_free_call(channel: grpc.aio.Channel) -> None:
    """Waits until the server accepts another call."""
    while True:
        try:
            (await subscribe(channel)).cancel()
        except StreamError as error:
            assert error.reason == "TOO_MANY_CALLS"
        else:
            return


async def test_an_async_client_opens_as_many_connections_as_its_calls_need(server: str) -> None:
    count = 250
    async with AsyncEventStreamClient(server) as client, AsyncExitStack() as stack:
        publisher = await stack.enter_async_context(client.publish("s"))
        subscribers = [await stack.enter_async_context(aclosing(client.subscribe("s"))) for _ in range(count)]
        await publisher.send(event(7))
        received = await asyncio.gather(*(anext(subscriber) for subscriber in subscribers))
        assert [number(made) for made in received] == [7] * count


async def test_a_sync_client_opens_as_many_connections_as_its_calls_need(server: str) -> None:
    def subscribe() -> list[int]:
        with EventStreamClient(server) as client, client.publish("s") as publisher:
            publisher.send(event(7))
            # The call of each stays open until it is closed.
            subscribers = [client.subscribe("s") for _ in range(120)]
            received = [number(made) for made in itertools.chain(*(itertools.islice(one, 1) for one in subscribers))]
            for subscriber in subscribers:
                subscriber.close()
            return received

    assert await asyncio.to_thread(subscribe) == [7] * 120


async def test_a_connection_carries_at_most_100_calls(channel: grpc.aio.Channel, server: str) -> None:
    calls = [await subscribe(channel) for _ in range(100)]
    waits = asyncio.create_task(subscribe(channel))
    async with grpc.aio.insecure_channel(server, options=OPTIONS) as another:
        (await subscribe(another)).cancel()
    assert not waits.done()
    calls[0].cancel()
    await waits


EVENTS = 64


async def publish_more_than_the_flow_control_window(client: AsyncEventStreamClient, stream_id: str) -> None:
    async with client.publish(stream_id) as publisher:
        for n in range(EVENTS):
            await publisher.send(event(n, padding=1 << 20))


async def test_a_subscriber_that_does_not_read_is_disconnected_and_resumes_when_it_reads() -> None:
    store = MemoryStore(StoreLimits(max_bytes=1 << 30, max_stream_bytes=1 << 30))
    service = StreamService(store, max_calls=1, timeouts=Timeouts(write=0.2))
    async with (
        running_server(service, "127.0.0.1:0") as address,
        grpc.aio.insecure_channel(address) as another,
        AsyncEventStreamClient(address) as client,
    ):
        await publish_more_than_the_flow_control_window(client, "s")
        async with aclosing(client.subscribe("s")) as subscriber:
            received = [number(await anext(subscriber))]
            await wait_for_free_call(another)
            received += [number(made) async for made in subscriber]
        assert received == list(range(EVENTS))


async def test_a_disconnected_slow_subscriber_gets_peer_not_reading() -> None:
    store = MemoryStore(StoreLimits(max_bytes=1 << 30, max_stream_bytes=1 << 30))
    service = StreamService(store, max_calls=1, timeouts=Timeouts(write=0.2))
    async with (
        running_server(service, "127.0.0.1:0") as address,
        grpc.aio.insecure_channel(address) as another,
        AsyncEventStreamClient(address) as client,
    ):
        await publish_more_than_the_flow_control_window(client, "s")
        async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
            call = await subscribe(channel)
            await wait_for_free_call(another)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                while (await call.read()).events:
                    pass
        error = stream_error(caught.value, server="server", secure=False)
        assert (error.code, error.reason, error.retryable) == (grpc.StatusCode.ABORTED, "PEER_NOT_READING", True)


async def test_a_publisher_that_does_not_read_acknowledgements_is_disconnected() -> None:
    service = StreamService(MemoryStore(), max_calls=1, timeouts=Timeouts(write=0.2))
    async with (
        running_server(service, "127.0.0.1:0") as address,
        grpc.aio.insecure_channel(address) as another,
        # The flow control window for acknowledgements is small and does not grow.
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
        await wait_for_free_call(another)
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)


async def test_a_call_ends_when_its_connection_falls_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    impatient = {"grpc.keepalive_time_ms": 1000, "grpc.keepalive_timeout_ms": 500, "grpc.http2.ping_timeout_ms": 500}
    monkeypatch.setattr("openresponses_grpc.server._server.OPTIONS", [*({**dict(SERVER_OPTIONS), **impatient}).items()])
    async with running_server(StreamService(MemoryStore(), max_calls=1), "127.0.0.1:0") as address:
        proxy = Proxy(int(address.rpartition(":")[2]))
        async with (
            proxy.running() as through_proxy,
            grpc.aio.insecure_channel(through_proxy) as silent,
            grpc.aio.insecure_channel(address) as another,
        ):
            await subscribe(silent)
            proxy.black_hole()
            await wait_for_free_call(another)
