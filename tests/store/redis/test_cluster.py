"""The Redis Cluster store: each stream is on one node, and can move to another while it is open."""

import asyncio
import signal
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from redis.asyncio import Redis, RedisCluster

from openresponses_grpc.store import Append, End, StoreUnavailableError
from openresponses_grpc.store.redis import RedisStore, open_redis
from openresponses_grpc.store.redis._client import stream_keys
from openresponses_grpc.store.redis._connection import Connector
from openresponses_grpc.store.redis._listener import Listener

from ...support.redis_server import RedisServer, emptied
from .streams import LIMITS, read, state_keys, wait_until_subscribed, waiting_read


@pytest.fixture
async def cluster(redis_cluster_url: str) -> AsyncIterator[Any]:
    """A client of the flushed cluster."""
    async with emptied(redis_cluster_url) as cluster:
        yield cluster


@pytest.fixture
async def store(cluster: RedisCluster, redis_cluster_url: str) -> AsyncIterator[RedisStore]:
    async with open_redis(redis_cluster_url, LIMITS) as store:
        yield store


async def test_streams_are_spread_over_the_nodes_with_one_listening_connection_each(
    store: RedisStore, cluster: Any, redis_cluster: list[RedisServer]
) -> None:
    ids = [f"resp_{number}" for number in range(60)]
    readers = {stream_id: waiting_read(store, stream_id=stream_id) for stream_id in ids}
    homes = [cluster.get_node_from_key(stream_keys(stream_id).log).port for stream_id in ids]
    for server in redis_cluster:
        async with Redis(port=server.port) as node:
            assert homes.count(server.port) > 5
            await wait_until_subscribed(node, homes.count(server.port))
            assert sum(client["ssub"] != "0" for client in await node.client_list()) == 1
    await asyncio.gather(*(store.append(Append(stream_id, [stream_id.encode()])) for stream_id in ids))
    for stream_id, reader in readers.items():
        assert list((await reader).events) == [stream_id.encode()]
    for server in redis_cluster:
        async with Redis(port=server.port) as node:
            assert len(await state_keys(node)) == homes.count(server.port)


async def test_a_check_writes_to_each_node(store: RedisStore, redis_cluster: list[RedisServer]) -> None:
    await store.check()
    for server in redis_cluster:
        async with Redis(port=server.port) as node:
            assert len(await node.keys("openresponses:{check-*}")) == 1


async def test_readers_and_publishers_follow_a_slot_to_another_node(
    store: RedisStore, cluster: Any, redis_cluster: list[RedisServer]
) -> None:
    position = await store.append(Append("s", [b"a"]))
    keys = stream_keys("s")
    home = cluster.get_node_from_key(keys.log).port
    source, target = sorted(redis_cluster, key=lambda server: server.port != home)[:2]
    async with Redis(port=source.port) as old, Redis(port=target.port) as new:
        for _ in range(2):  # there and back
            reader = waiting_read(store, position.next_offset, epoch=position.epoch)
            await wait_until_subscribed(old, 1)
            await move_slot(cluster.keyslot(keys.log), old, new, keys)
            await wait_until_subscribed(new, 1)
            position = await store.append(Append("s", [b"b"], first_offset=position.next_offset, epoch=position.epoch))
            assert list((await reader).events) == [b"b"]
            old, new = new, old


async def test_a_stream_can_be_created_once_its_slot_has_moved(
    store: RedisStore, cluster: Any, redis_cluster: list[RedisServer]
) -> None:
    keys = stream_keys("s")
    slot, home = cluster.keyslot(keys.log), cluster.get_node_from_key(keys.log).port
    source, target = sorted(redis_cluster, key=lambda server: server.port != home)[:2]
    async with Redis(port=source.port) as old, Redis(port=target.port) as new:
        for _ in range(2):  # there and back
            await start_move(slot, old, new)
            # During the move, Redis refuses commands with several missing keys: TRYAGAIN.
            with pytest.raises(StoreUnavailableError, match="too many redirects"):
                await store.append(Append("s", [b"a"]))
            await finish_move(slot, old, new)
            assert (await store.append(Append("s", [b"a"]))).next_offset == 1
            await store.delete("s", None)
            old, new = new, old


async def test_a_read_waits_while_the_keys_of_a_stream_are_on_two_nodes(
    store: RedisStore, cluster: Any, redis_cluster: list[RedisServer]
) -> None:
    await store.append(Append("s", [b"a"]))
    keys = stream_keys("s")
    slot, home = cluster.keyslot(keys.log), cluster.get_node_from_key(keys.log).port
    source, target = sorted(redis_cluster, key=lambda server: server.port != home)[:2]
    async with Redis(port=source.port) as old, Redis(port=target.port) as new:
        for _ in range(2):  # there and back
            await start_move(slot, old, new)
            await migrate(old, new, keys.state)
            reader = asyncio.create_task(read(store))
            await asyncio.wait((reader,), timeout=0)
            await migrate(old, new, keys.log)
            await finish_move(slot, old, new)
            assert list((await reader).events) == [b"a"]
            old, new = new, old


async def test_a_channel_of_another_node_is_reported_and_not_subscribed_to(
    redis_cluster: list[RedisServer], cluster: Any
) -> None:
    log = stream_keys("s").log
    home = cluster.get_node_from_key(log).port
    reported: asyncio.Queue[str] = asyncio.Queue()
    for server in redis_cluster:
        async with Redis(port=server.port, protocol=2) as node:
            connector = Connector({"port": server.port, "protocol": 2})
            listener = Listener(partial(connector.connect, connector.node), reported.put_nowait)
            listener.subscribe(log)
            assert await reported.get() == log
            assert await node.pubsub_shardchannels() == ([log.encode()] if server.port == home else [])
            await listener.aclose()


async def test_only_the_streams_of_a_node_that_is_down_are_unavailable(
    store: RedisStore, cluster: Any, redis_cluster: list[RedisServer]
) -> None:
    down = redis_cluster[-1]
    ids = [f"resp_{number}" for number in range(100)]

    async def append_to_all() -> dict[bool, set[object]]:
        outcomes = await asyncio.gather(*(store.append(Append(id, [b"a"])) for id in ids), return_exceptions=True)
        by_home: dict[bool, set[object]] = {True: set(), False: set()}
        for stream_id, outcome in zip(ids, outcomes, strict=True):
            home = cluster.get_node_from_key(stream_keys(stream_id).log).port
            by_home[home == down.port].add(outcome.next_offset if isinstance(outcome, End) else type(outcome))
        return by_home

    assert await append_to_all() == {True: {1}, False: {1}}
    down.end(signal.SIGKILL)
    try:
        assert await append_to_all() == {True: {StoreUnavailableError}, False: {2}}
    finally:
        await asyncio.to_thread(down.start)
        await asyncio.to_thread(down.wait_for_line, "Cluster state changed: ok")
    assert (await append_to_all())[False] == {3}
    recovered = await append_to_all()
    assert recovered[False] == {4}
    assert StoreUnavailableError not in recovered[True]


async def move_slot(slot: int, source: Any, target: Any, keys: tuple[str, str]) -> None:
    await start_move(slot, source, target)
    await migrate(source, target, *keys)
    await finish_move(slot, source, target)


async def start_move(slot: int, source: Any, target: Any) -> None:
    await target.cluster("SETSLOT", slot, "IMPORTING", await source.cluster("MYID"))
    await source.cluster("SETSLOT", slot, "MIGRATING", await target.cluster("MYID"))


async def migrate(source: Any, target: Any, *keys: str) -> None:
    await source.migrate("127.0.0.1", target.connection_pool.connection_kwargs["port"], list(keys), 0, 1000)


async def finish_move(slot: int, source: Any, target: Any) -> None:
    for node in (target, source):
        await node.cluster("SETSLOT", slot, "NODE", await target.cluster("MYID"))
