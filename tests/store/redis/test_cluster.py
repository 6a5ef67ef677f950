"""The store in a Redis Cluster: a stream is on one of its nodes, and goes on when it moves to another."""

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
from .streams import LIMITS, listening, read, states, waiting


@pytest.fixture
async def cluster(redis_cluster_url: str) -> AsyncIterator[Any]:
    """A client of the cluster, which has nothing in it."""
    async with emptied(redis_cluster_url) as cluster:
        yield cluster


@pytest.fixture
async def store(cluster: RedisCluster, redis_cluster_url: str) -> AsyncIterator[RedisStore]:
    async with open_redis(redis_cluster_url, LIMITS) as store:
        yield store


async def test_streams_are_spread_over_the_nodes_each_of_which_has_one_connection_that_listens(
    store: RedisStore, cluster: Any, redis_cluster: list[RedisServer]
) -> None:
    ids = [f"resp_{number}" for number in range(60)]
    readers = {stream_id: waiting(store, stream_id=stream_id) for stream_id in ids}
    homes = [cluster.get_node_from_key(stream_keys(stream_id).log).port for stream_id in ids]
    for server in redis_cluster:
        async with Redis(port=server.port) as node:
            assert homes.count(server.port) > 5
            await listening(node, homes.count(server.port))
            assert sum(client["ssub"] != "0" for client in await node.client_list()) == 1
    await asyncio.gather(*(store.append(Append(stream_id, [stream_id.encode()])) for stream_id in ids))
    for stream_id, reader in readers.items():
        assert list((await reader).events) == [stream_id.encode()]
    for server in redis_cluster:
        async with Redis(port=server.port) as node:
            assert len(await states(node)) == homes.count(server.port)


async def test_a_check_writes_at_each_node(store: RedisStore, redis_cluster: list[RedisServer]) -> None:
    await store.check()
    for server in redis_cluster:
        async with Redis(port=server.port) as node:
            assert len(await node.keys("openresponses:{check-*}")) == 1


async def test_a_stream_whose_slot_moves_to_another_node_goes_on_for_who_waits_and_who_publishes(
    store: RedisStore, cluster: Any, redis_cluster: list[RedisServer]
) -> None:
    position = await store.append(Append("s", [b"a"]))
    keys = stream_keys("s")
    home = cluster.get_node_from_key(keys.log).port
    source, target = sorted(redis_cluster, key=lambda server: server.port != home)[:2]
    async with Redis(port=source.port) as old, Redis(port=target.port) as new:
        for _ in range(2):  # there, and back
            reader = waiting(store, position.next_offset, epoch=position.epoch)
            await listening(old, 1)
            await move_slot(cluster.keyslot(keys.log), old, new, keys)
            await listening(new, 1)
            position = await store.append(Append("s", [b"b"], first_offset=position.next_offset, epoch=position.epoch))
            assert list((await reader).events) == [b"b"]
            old, new = new, old


async def test_a_stream_that_is_created_while_its_slot_moves_is_created_after_the_move(
    store: RedisStore, cluster: Any, redis_cluster: list[RedisServer]
) -> None:
    keys = stream_keys("s")
    slot, home = cluster.keyslot(keys.log), cluster.get_node_from_key(keys.log).port
    source, target = sorted(redis_cluster, key=lambda server: server.port != home)[:2]
    async with Redis(port=source.port) as old, Redis(port=target.port) as new:
        for _ in range(2):  # there, and back
            await begin_to_move(slot, old, new)
            # In such a slot, Redis refuses commands with several keys that it does not have: TRYAGAIN.
            with pytest.raises(StoreUnavailableError, match="too many redirects"):
                await store.append(Append("s", [b"a"]))
            await end_the_move(slot, old, new)
            assert (await store.append(Append("s", [b"a"]))).next_offset == 1
            await store.delete("s", None)
            old, new = new, old


async def test_a_stream_whose_keys_are_at_two_nodes_is_waited_for(
    store: RedisStore, cluster: Any, redis_cluster: list[RedisServer]
) -> None:
    await store.append(Append("s", [b"a"]))
    keys = stream_keys("s")
    slot, home = cluster.keyslot(keys.log), cluster.get_node_from_key(keys.log).port
    source, target = sorted(redis_cluster, key=lambda server: server.port != home)[:2]
    async with Redis(port=source.port) as old, Redis(port=target.port) as new:
        for _ in range(2):  # there, and back
            await begin_to_move(slot, old, new)
            await migrate(old, new, keys.state)
            reader = asyncio.create_task(read(store))
            await asyncio.wait((reader,), timeout=0)
            await migrate(old, new, keys.log)
            await end_the_move(slot, old, new)
            assert list((await reader).events) == [b"a"]
            old, new = new, old


async def test_a_channel_that_a_node_does_not_have_is_read_and_not_listened_to_there(
    redis_cluster: list[RedisServer], cluster: Any
) -> None:
    log = stream_keys("s").log
    home = cluster.get_node_from_key(log).port
    told: asyncio.Queue[str] = asyncio.Queue()
    for server in redis_cluster:
        async with Redis(port=server.port, protocol=2) as node:
            connector = Connector({"port": server.port, "protocol": 2})
            listener = Listener(partial(connector.connect, connector.node), told.put_nowait)
            listener.subscribe(log)
            assert await told.get() == log
            assert await node.pubsub_shardchannels() == ([log.encode()] if server.port == home else [])
            await listener.aclose()


async def test_a_node_that_is_down_is_unavailable_and_the_others_are_not(
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
    healed = await append_to_all()
    assert healed[False] == {4}
    assert StoreUnavailableError not in healed[True]


async def move_slot(slot: int, source: Any, target: Any, keys: tuple[str, str]) -> None:
    await begin_to_move(slot, source, target)
    await migrate(source, target, *keys)
    await end_the_move(slot, source, target)


async def begin_to_move(slot: int, source: Any, target: Any) -> None:
    await target.cluster("SETSLOT", slot, "IMPORTING", await source.cluster("MYID"))
    await source.cluster("SETSLOT", slot, "MIGRATING", await target.cluster("MYID"))


async def migrate(source: Any, target: Any, *keys: str) -> None:
    await source.migrate("127.0.0.1", target.connection_pool.connection_kwargs["port"], list(keys), 0, 1000)


async def end_the_move(slot: int, source: Any, target: Any) -> None:
    for node in (target, source):
        await node.cluster("SETSLOT", slot, "NODE", await target.cluster("MYID"))
