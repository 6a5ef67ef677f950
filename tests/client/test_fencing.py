"""Fencing of publishers, reconnection and server restarts."""

import asyncio
from collections.abc import Callable

import pytest

from openresponses_grpc import AsyncEventStreamClient, EventStreamClient, StreamError
from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.store import MemoryStore

from ..faults.proxy import Proxy
from ..support.events import event, number


async def numbers(client: AsyncEventStreamClient) -> list[int]:
    return [number(made) async for made in client.subscribe("s")]


async def test_a_publisher_is_fenced_by_its_successor(server: str) -> None:
    async with AsyncEventStreamClient(server) as client:
        acknowledged = []
        with pytest.raises(StreamError, match="a newer publisher owns the stream") as caught:
            async with client.publish("s") as one:
                await one.send(event(0))
                await one.flush()
                acknowledged.append(0)
                async with client.publish("s") as other:
                    assert other.position.offset == 1
                    for n in (1, 2):
                        await other.send(event(n))
                        await other.flush()
                        acknowledged.append(n)
                        with pytest.raises(StreamError, match="a newer publisher owns the stream"):
                            await one.send(event(100 + n))
                            await one.flush()
        assert caught.value.reason == "PUBLISHER_FENCED"
        assert await numbers(client) == acknowledged


def publish_from_two_publishers(server: str) -> None:
    with EventStreamClient(server) as client:
        with pytest.raises(StreamError) as caught, client.publish("s") as one, client.publish("s") as other:
            other.send(event(0))
            other.flush()
            one.send(event(1))
            with pytest.raises(StreamError, match="a newer publisher owns the stream"):
                one.flush()
        assert caught.value.reason == "PUBLISHER_FENCED"
        assert [number(made) for made in client.subscribe("s")] == [0]


async def test_a_sync_publisher_is_fenced_by_its_successor(server: str) -> None:
    await asyncio.to_thread(publish_from_two_publishers, server)


async def test_a_disconnected_publisher_is_fenced_when_it_reconnects(server: str) -> None:
    proxy = Proxy(int(server.rpartition(":")[2]))
    async with (
        proxy.running() as address,
        AsyncEventStreamClient(address) as far,
        AsyncEventStreamClient(server) as near,
    ):
        with pytest.raises(StreamError) as caught:
            async with far.publish("s") as late:
                await late.send(event(0))
                await late.flush()
                proxy.black_hole()
                await late.send(event(100))
                async with near.publish("s") as successor:
                    assert successor.position.offset == 1
                    await successor.send(event(1))
                proxy.cut()
                await late.flush()
        assert caught.value.reason == "PUBLISHER_FENCED"
        assert await numbers(near) == [0, 1]


def publish_through_disconnections(server: str, cut: Callable[[], None]) -> None:
    with EventStreamClient(server) as client:
        with client.publish("s") as publisher, client.subscribe("s") as subscription:
            for n in range(10):
                publisher.send(event(n))
                cut()
                publisher.flush()
                assert publisher.position.offset == n + 1
                assert number(next(subscription)) == n
        assert [number(made) for made in client.subscribe("s")] == list(range(10))


async def test_the_sync_client_reconnects_without_losing_or_repeating_events(server: str) -> None:
    proxy = Proxy(int(server.rpartition(":")[2]))
    loop = asyncio.get_running_loop()
    async with proxy.running() as address:

        def cut() -> None:
            loop.call_soon_threadsafe(proxy.cut)

        await asyncio.to_thread(publish_through_disconnections, address, cut)


async def test_both_sides_resume_when_the_server_restarts() -> None:
    store = MemoryStore()
    async with running_server(StreamService(store), "127.0.0.1:0") as address:
        client = AsyncEventStreamClient(address)
        publisher = await client.publish("s").__aenter__()
        await publisher.send(event(0))
        await publisher.flush()
        subscription = client.subscribe("s")
        assert number(await anext(subscription)) == 0
    for n in range(1, 4):
        await publisher.send(event(n))
        waiting = asyncio.create_task(subscription.__anext__())
        async with running_server(StreamService(store), address):
            assert number(await waiting) == n
            await publisher.flush()
            assert publisher.position.offset == n + 1
    async with client, running_server(StreamService(store), address):
        await publisher.__aexit__(None, None, None)
        assert [number(made) async for made in subscription] == []
        assert await numbers(client) == [0, 1, 2, 3]


async def test_wait_for_ready_waits_for_a_server_that_starts_later(unused_tcp_port: int) -> None:
    address = f"127.0.0.1:{unused_tcp_port}"
    async with AsyncEventStreamClient(address, wait_for_ready=True) as client:
        calls = [asyncio.create_task(numbers(client))]
        opening = asyncio.create_task(client.publish("s").__aenter__())
        listing = asyncio.create_task(anext(client.list_streams(), None))
        done, _ = await asyncio.wait([*calls, opening, listing], timeout=0.05)
        assert not done
        async with running_server(StreamService(MemoryStore()), address):
            publisher = await opening
            await listing
            await publisher.send(event(0))
            await publisher.__aexit__(None, None, None)
            assert await calls[0] == [0]
