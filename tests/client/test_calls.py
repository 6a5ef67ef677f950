"""Timeouts, cancellation, garbage collection, forks, several event loops and closed clients."""

import asyncio
import gc
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from grpc.aio._call import UnaryStreamCall

from openresponses_grpc import AsyncEventPublisher, AsyncEventStreamClient, AsyncEventSubscription, EventStreamClient
from openresponses_grpc.client._outbox import WINDOW_BYTES

from ..faults.proxy import Proxy
from ..support.events import event, number

COUNT = 200


async def publish_numbers(client: AsyncEventStreamClient, count: int, stream_id: str = "s") -> None:
    async with client.publish(stream_id) as publisher:
        for n in range(count):
            await publisher.send(event(n))


async def wait_for(subscription: AsyncEventSubscription[Any], seconds: float) -> Any:
    return await asyncio.wait_for(anext(subscription), seconds)


async def timeout_around(subscription: AsyncEventSubscription[Any], seconds: float) -> Any:
    async with asyncio.timeout(seconds):
        return await anext(subscription)


@pytest.mark.parametrize("read_next", [wait_for, timeout_around])
async def test_a_subscription_survives_any_number_of_timeouts(
    server: str, read_next: Callable[[AsyncEventSubscription[Any], float], Awaitable[Any]]
) -> None:
    async with AsyncEventStreamClient(server) as client, client.publish("s") as publisher:

        async def publish() -> None:
            for n in range(COUNT):
                await publisher.send(event(n))
                await publisher.flush()

        received: list[int] = []
        timeouts = 0
        async with client.subscribe("s") as subscription:
            with pytest.raises(TimeoutError):
                await read_next(subscription, 0.01)
            publishing = asyncio.create_task(publish())
            while len(received) < COUNT:
                try:
                    received.append(number(await read_next(subscription, 0.0005)))
                except TimeoutError:
                    timeouts += 1
                assert subscription.position is None or subscription.position.offset == len(received)
            await publishing
        assert received == list(range(COUNT))
        assert timeouts


async def test_closing_a_subscription_ends_its_call_and_does_not_cancel_its_read(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gRPC leaks a message that arrives for a cancelled read."""
    read = UnaryStreamCall.read
    ended: list[int] = []

    async def recorded(call: Any) -> Any:
        task = asyncio.current_task()
        assert task
        try:
            return await read(call)
        finally:
            ended.append(task.cancelling())

    monkeypatch.setattr(UnaryStreamCall, "read", recorded)
    async with AsyncEventStreamClient(server) as client, client.publish("s") as publisher:
        await publisher.send(event(0))
        async with client.subscribe("s") as subscription:
            assert number(await anext(subscription)) == 0
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(subscription), 0.01)
    assert len(ended) >= 2
    assert not any(ended)


async def test_a_subscription_ends_normally_after_a_timeout(server: str) -> None:
    async with AsyncEventStreamClient(server) as client:
        subscription = client.subscribe("s")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(subscription), 0.01)
        await publish_numbers(client, 0)
        for _ in range(2):
            with pytest.raises(StopAsyncIteration):
                await anext(subscription)


async def test_batches_contain_every_event_and_are_empty_at_the_end(server: str) -> None:
    async with AsyncEventStreamClient(server) as client, client.publish("s") as publisher:
        received: list[int] = []
        subscription = client.subscribe("s")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(subscription.batch(), 0.01)
        for n in range(COUNT):
            await publisher.send(event(n))
        await publisher.flush()
        assert number(await anext(subscription)) == 0
        while len(received) < COUNT - 1:
            batch = await subscription.batch()
            received += map(number, batch)
            assert batch
            assert subscription.position is not None
            assert subscription.position.offset == len(received) + 1
        assert received == list(range(1, COUNT))
    async with AsyncEventStreamClient(server) as client, client.subscribe("s", start_offset=COUNT) as subscription:
        assert await subscription.batch() == await subscription.batch() == []


async def test_a_client_with_another_token_shares_the_connections(server: str) -> None:
    async with AsyncEventStreamClient(server) as client:
        await publish_numbers(client, 1)
        other = client.with_token("another")
        assert [number(made) async for made in other.subscribe("s")] == [0]
        with pytest.raises(ValueError, match="invalid bearer token"):
            client.with_token("two words")
    with pytest.raises(RuntimeError, match="closed"):
        await other.get_stream("s")


async def test_several_tasks_can_read_one_subscription(server: str) -> None:
    async with AsyncEventStreamClient(server) as client, client.subscribe("s") as subscription:
        waiting = [asyncio.create_task(subscription.__anext__()) for _ in range(3)]
        await publish_numbers(client, 3)
        assert sorted([number(made) for made in await asyncio.gather(*waiting)]) == [0, 1, 2]


async def send_until_blocked(publisher: AsyncEventPublisher, numbers: list[int]) -> None:
    """Sends events of a quarter of the window until a send times out."""
    while True:
        made = event(len(numbers), padding=WINDOW_BYTES // 4)
        await asyncio.wait_for(publisher.send(made), 0.2)
        numbers.append(len(numbers))


async def test_a_send_that_times_out_has_not_accepted_its_event(server: str) -> None:
    proxy = Proxy(int(server.rpartition(":")[2]))
    async with (
        proxy.running() as address,
        AsyncEventStreamClient(address) as client,
        AsyncEventStreamClient(server) as direct,
    ):
        sent: list[int] = []
        with suppress(ZeroDivisionError):
            async with client.publish("s") as publisher:
                proxy.black_hole()
                with pytest.raises(TimeoutError):
                    await send_until_blocked(publisher, sent)
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(publisher.flush(), 0.01)
                proxy.cut()
                await publisher.send(event(len(sent)))
                await publisher.flush()
                raise ZeroDivisionError
        await publish_numbers(direct, 0)
        assert [number(made) async for made in direct.subscribe("s")] == [*sent, len(sent)]


async def test_a_cancelled_failure_is_stored_when_the_body_ends(server: str) -> None:
    async with AsyncEventStreamClient(server) as client:
        async with client.publish("s") as publisher:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(publisher.fail("R"), 0)
            failing = asyncio.create_task(publisher.fail("R"))
            await asyncio.sleep(0)
            failing.cancel()
        assert publisher.failure is not None
        assert publisher.failure.reason == "R"


async def open_calls(client: AsyncEventStreamClient) -> int:
    return sum(client._channels._calls.values())


async def wait_for_no_calls(client: AsyncEventStreamClient) -> None:
    """Waits until the client has no open call."""
    async with asyncio.timeout(30):
        while await open_calls(client):
            gc.collect()
            await asyncio.sleep(0)


async def test_a_dropped_subscription_ends_its_call(server: str) -> None:
    async with AsyncEventStreamClient(server) as client, client.publish("s") as publisher:
        await publisher.send(event(0))
        await publisher.flush()
        async for _ in client.subscribe("s"):
            break
        waiting = client.subscribe("never published")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(waiting), 0.01)
        async with client.subscribe("s") as left:
            async for _ in left:
                break
        with pytest.raises(RuntimeError, match="the subscription is closed: subscribe again"):
            await anext(left)
        assert await open_calls(client) > 1
        del waiting
        await publisher.fail("R")
        await wait_for_no_calls(client)


def test_an_event_loop_can_end_while_a_subscription_waits(unused_tcp_port: int) -> None:
    kept = []

    async def leave() -> None:
        client = AsyncEventStreamClient(f"127.0.0.1:{unused_tcp_port}", wait_for_ready=True)
        kept.append(client.subscribe("s"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(kept[0]), 0.01)

    asyncio.run(leave())
    kept.clear()
    gc.collect()


async def test_every_use_of_a_closed_async_client_raises(server: str) -> None:
    client = AsyncEventStreamClient(server)
    opened = await client.publish("s").__aenter__()
    subscription = client.subscribe("never published")
    waiting = asyncio.create_task(subscription.__anext__())
    await asyncio.sleep(0.05)
    await client.close()
    closed: list[Callable[[], Awaitable[Any]]] = [
        lambda: waiting,
        lambda: anext(subscription),
        lambda: opened.send(event(0)),
        lambda: opened.flush(),
        lambda: opened.fail("R"),
        lambda: opened.__aexit__(None, None, None),
        lambda: client.publish("s").__aenter__(),
        lambda: anext(client.subscribe("s")),
        lambda: client.get_stream("s"),
        lambda: anext(client.list_streams()),
        lambda: client.delete_stream("s"),
    ]
    for use in closed:
        with pytest.raises(RuntimeError, match="the client is closed: create another one"):
            await use()


def use_a_closed_client(server: str) -> None:
    client = EventStreamClient(server)
    opened = client.publish("s").__enter__()
    subscription = client.subscribe("s")
    client.close()
    closed: list[Callable[[], Any]] = [
        lambda: next(subscription),
        lambda: opened.flush(),
        lambda: opened.send(event(0)),
        lambda: opened.fail("R"),
        lambda: opened.__exit__(None, None, None),
        lambda: client.publish("s").__enter__(),
        lambda: next(client.subscribe("s")),
        lambda: client.get_stream("s"),
        lambda: next(client.list_streams()),
        lambda: client.delete_stream("s"),
    ]
    for use in closed:
        with pytest.raises(RuntimeError, match="the client is closed: create another one"):
            use()


async def test_every_use_of_a_closed_sync_client_raises(server: str) -> None:
    await asyncio.to_thread(use_a_closed_client, server)


async def test_a_publisher_works_only_inside_its_context(server: str) -> None:
    async with AsyncEventStreamClient(server) as client:
        publisher = client.publish("s")
        uses: list[Callable[[], Awaitable[None]]] = [
            lambda: publisher.send(event(0)),
            publisher.flush,
            lambda: publisher.fail("R"),
        ]
        for use in uses:
            with pytest.raises(RuntimeError, match="'async with'"):
                await use()
        with pytest.raises(RuntimeError, match="'async with'"):
            _ = publisher.position
        async with publisher:
            pass
        for use in uses:
            with pytest.raises(RuntimeError, match="the publisher is closed: create another one"):
                await use()
        with pytest.raises(RuntimeError, match="opened only once"):
            await publisher.__aenter__()


async def test_a_client_belongs_to_one_event_loop(server: str) -> None:
    async with AsyncEventStreamClient(server) as client:
        await publish_numbers(client, 1)
        subscription = client.subscribe("s")

        def use_another_loop() -> None:
            for use in (
                lambda: publish_numbers(client, 1, "other"),
                lambda: client.get_stream("s"),
                subscription.__anext__,
            ):
                with pytest.raises(RuntimeError, match=r"another event loop, .* create a client in each"):
                    asyncio.run(use())

        await asyncio.to_thread(use_another_loop)
        assert [number(made) async for made in subscription] == [0]


def test_a_client_can_be_created_before_its_loop_runs(unused_tcp_port: int) -> None:
    client = AsyncEventStreamClient(f"127.0.0.1:{unused_tcp_port}")
    asyncio.run(client.close())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
async def test_a_client_is_refused_after_a_fork(server: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.client.forking", server, stdout=PIPE, stderr=PIPE
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    *refusals, parent = output.decode().splitlines()
    assert len(refusals) == 6
    assert all("create a client in each process" in refusal for refusal in refusals), refusals
    assert parent == "[0, 1]"


async def test_bytes_bytearray_and_memoryview_are_accepted(server: str) -> None:
    data = event(0).SerializeToString()
    async with AsyncEventStreamClient(server) as client:
        async with client.publish("s") as publisher:
            for made in (data, bytearray(data), memoryview(data), memoryview(b"x" + data)[1:]):
                await publisher.send(made)
        assert [received async for received in client.subscribe_serialized("s")] == [data] * 4


@pytest.mark.parametrize(
    "other, remedy",
    [
        ('{"type":"x"}', "got str: convert JSON with json_to_protobuf"),
        ({"type": "x"}, "got dict: convert it with from_dict"),
        (event(0).image_generation_call_generating, "wrap it in an OpenResponsesStreamEvent"),
        (None, "got NoneType$"),
    ],
)
async def test_other_types_than_events_are_rejected_with_a_remedy(server: str, other: Any, remedy: str) -> None:
    async with AsyncEventStreamClient(server) as client, client.publish("s") as publisher:
        with pytest.raises(TypeError, match=remedy):
            await publisher.send(other)
