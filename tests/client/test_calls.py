"""Clients as people use them: timeouts, cancellation, garbage, forks, several event loops, closed clients."""

import asyncio
import gc
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from openresponses_grpc import AsyncEventPublisher, AsyncEventStreamClient, AsyncEventSubscription, EventStreamClient
from openresponses_grpc.client._outbox import WINDOW_BYTES

from ..faults.proxy import Proxy
from ..support.events import event, number

COUNT = 200


async def published(client: AsyncEventStreamClient, count: int, stream_id: str = "s") -> None:
    async with client.publish(stream_id) as publisher:
        for n in range(count):
            await publisher.send(event(n))


async def wait_for(subscription: AsyncEventSubscription[Any], seconds: float) -> Any:
    return await asyncio.wait_for(anext(subscription), seconds)


async def timeout_around(subscription: AsyncEventSubscription[Any], seconds: float) -> Any:
    async with asyncio.timeout(seconds):
        return await anext(subscription)


@pytest.mark.parametrize("waiting", [wait_for, timeout_around])
async def test_a_subscription_survives_any_number_of_timeouts(
    server: str, waiting: Callable[[AsyncEventSubscription[Any], float], Awaitable[Any]]
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
                await waiting(subscription, 0.01)
            publishing = asyncio.create_task(publish())
            while len(received) < COUNT:
                try:
                    received.append(number(await waiting(subscription, 0.0005)))
                except TimeoutError:
                    timeouts += 1
                assert subscription.position is None or subscription.position.offset == len(received)
            await publishing
        assert received == list(range(COUNT))
        assert timeouts


async def test_the_end_comes_after_a_timeout_too(server: str) -> None:
    async with AsyncEventStreamClient(server) as client:
        subscription = client.subscribe("s")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(subscription), 0.01)
        await published(client, 0)
        for _ in range(2):
            with pytest.raises(StopAsyncIteration):
                await anext(subscription)


async def test_batches_are_the_events_of_the_stream_and_then_empty(server: str) -> None:
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


async def test_a_client_with_another_token_is_closed_with_the_first(server: str) -> None:
    async with AsyncEventStreamClient(server) as client:
        await published(client, 1)
        other = client.with_token("another")
        assert [number(made) async for made in other.subscribe("s")] == [0]
        with pytest.raises(ValueError, match="invalid bearer token"):
            client.with_token("two words")
    with pytest.raises(RuntimeError, match="closed"):
        await other.get_stream("s")


async def test_several_tasks_may_wait_for_one_subscription(server: str) -> None:
    async with AsyncEventStreamClient(server) as client, client.subscribe("s") as subscription:
        waiting = [asyncio.create_task(subscription.__anext__()) for _ in range(3)]
        await published(client, 3)
        assert sorted([number(made) for made in await asyncio.gather(*waiting)]) == [0, 1, 2]


async def blocked(publisher: AsyncEventPublisher, numbers: list[int]) -> None:
    """Sends events of a quarter of the window until one has to wait."""
    while True:
        made = event(len(numbers), padding=WINDOW_BYTES // 4)
        await asyncio.wait_for(publisher.send(made), 0.2)
        numbers.append(len(numbers))


async def test_a_send_that_times_out_has_not_taken_its_event(server: str) -> None:
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
                    await blocked(publisher, sent)
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(publisher.flush(), 0.01)
                proxy.cut()
                await publisher.send(event(len(sent)))
                await publisher.flush()
                raise ZeroDivisionError
        await published(direct, 0)
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


async def ended(client: AsyncEventStreamClient) -> None:
    """Waits until the client has no open call."""
    async with asyncio.timeout(30):
        while await open_calls(client):
            gc.collect()
            await asyncio.sleep(0)


async def test_a_subscription_that_is_dropped_ends_its_call(server: str) -> None:
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
        await ended(client)


def test_a_loop_may_end_while_a_subscription_waits(unused_tcp_port: int) -> None:
    kept = []

    async def leave() -> None:
        client = AsyncEventStreamClient(f"127.0.0.1:{unused_tcp_port}", wait_for_ready=True)
        kept.append(client.subscribe("s"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(kept[0]), 0.01)

    asyncio.run(leave())
    kept.clear()
    gc.collect()


async def test_a_closed_client_says_so_wherever_it_is_used(server: str) -> None:
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


async def test_a_closed_client_for_threads_says_so(server: str) -> None:
    await asyncio.to_thread(use_a_closed_client, server)


async def test_a_publisher_is_used_inside_its_context_alone(server: str) -> None:
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
        await published(client, 1)
        subscription = client.subscribe("s")

        def use_another_loop() -> None:
            for use in (lambda: published(client, 1, "other"), lambda: client.get_stream("s"), subscription.__anext__):
                with pytest.raises(RuntimeError, match=r"another event loop, .* create a client in each"):
                    asyncio.run(use())

        await asyncio.to_thread(use_another_loop)
        assert [number(made) async for made in subscription] == [0]


def test_a_client_may_be_made_before_its_loop_runs(unused_tcp_port: int) -> None:
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


async def test_bytes_of_any_kind_are_sent(server: str) -> None:
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
async def test_what_is_not_an_event_is_refused_with_a_remedy(server: str, other: Any, remedy: str) -> None:
    async with AsyncEventStreamClient(server) as client, client.publish("s") as publisher:
        with pytest.raises(TypeError, match=remedy):
            await publisher.send(other)
