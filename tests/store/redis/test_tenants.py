"""Tenants in Redis: shares of the memory that Redis reports."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import count, islice
from typing import Any

import pytest
from redis.asyncio import RedisCluster
from redis.crc import key_slot

from openresponses_grpc.store import Append, ShareExceededError
from openresponses_grpc.store._shares import Shares, SharesError
from openresponses_grpc.store.redis import RedisStore, open_redis
from openresponses_grpc.store.redis._client import stream_keys

from ...support.redis_server import SLOTS, emptied
from .streams import LIMITS

ROOM = 32 << 20
"""The memory of each Redis server, in addition to what an empty one uses."""

EVENT = b"x" * (256 << 10)

HALF = ROOM // 2 // len(EVENT)
"""A number of events that fills more than half of a server, given the memory of an empty one."""

FAIR = {"hog": Shares(), "other": Shares()}


async def limit_memory(redis: Any, room: int | None) -> None:
    """Limits each Redis server to its current memory plus `room`; None removes the limit."""
    nodes = redis.get_primaries() if isinstance(redis, RedisCluster) else [None]
    for node in nodes:
        target = {"target_nodes": node} if node else {}
        used = (await redis.info("memory", **target))["used_memory"]
        await redis.config_set("maxmemory", 0 if room is None else used + room, **target)


@pytest.fixture(params=["redis_url", "redis_cluster_url"])
async def small(request: pytest.FixtureRequest) -> AsyncIterator[RedisStore]:
    """A store in a Redis with a small maxmemory."""
    url = request.getfixturevalue(request.param)
    async with emptied(url) as redis, open_redis(url, LIMITS) as store:
        await limit_memory(redis, ROOM)
        try:
            yield store
        finally:
            await limit_memory(redis, None)


def same_node_streams(stream_id: str) -> Iterator[str]:
    """Yields stream ids on the same node, in a cluster of three or in a single server."""

    def third(stream_id: str) -> int:
        return key_slot(stream_keys(stream_id).log.encode()) * 3 // SLOTS

    return (other for number in count() if third(other := f"s{number}") == third(stream_id))


async def fill(store: RedisStore, tenant: str, stream_id: str, events: int) -> None:
    """Appends events; measures the memory of the tenants before each."""
    for _ in range(events):
        await store.tenants.measure()
        await store.append(Append(stream_id, [EVENT], tenant=tenant))


async def test_a_tenant_over_its_share_is_refused_while_others_have_room(small: RedisStore) -> None:
    small.divide(FAIR)
    with pytest.raises(ShareExceededError) as caught:
        await fill(small, "hog", "s", 100)
    assert caught.value.tenant == "hog"
    assert (await small.info("s")).event_bytes >= ROOM // 2
    await fill(small, "other", next(same_node_streams("s")), HALF // 4)
    with pytest.raises(ShareExceededError):
        await fill(small, "hog", "s", 100)
    await small.delete("s", None)
    await fill(small, "hog", "s", 1)


async def test_events_appended_between_two_measurements_count(small: RedisStore) -> None:
    small.divide(FAIR)
    await fill(small, "hog", "s", HALF)
    await small.tenants.measure()
    with pytest.raises(ShareExceededError):
        for _ in range(HALF):
            await small.append(Append("s", [EVENT], tenant="hog"))
    await fill(small, "other", "s", 10)


async def test_a_burst_between_two_measurements_leaves_the_shares_of_others(small: RedisStore) -> None:
    small.divide(FAIR)

    async def burst(stream_id: str) -> None:
        while True:
            await small.append(Append(stream_id, [EVENT], tenant="hog"))

    bursts = (burst(stream_id) for stream_id in islice(same_node_streams("s"), 4))
    outcomes = await asyncio.gather(*bursts, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {ShareExceededError}
    for _ in range(HALF // 4):
        await small.append(Append("s", [EVENT], tenant="other"))


async def test_events_appended_during_a_measurement_count(small: RedisStore, monkeypatch: pytest.MonkeyPatch) -> None:
    small.divide(FAIR)
    await fill(small, "hog", "s", HALF)
    ask, asked, released = small.tenants._ask, asyncio.Event(), asyncio.Event()

    async def held_ask(*arguments: Any) -> list[Any]:
        reply = await ask(*arguments)
        asked.set()
        await released.wait()
        return reply

    monkeypatch.setattr(small.tenants, "_ask", held_ask)
    measuring = asyncio.create_task(small.tenants.measure())
    await asked.wait()
    with pytest.raises(ShareExceededError):
        for _ in range(HALF):
            await small.append(Append("s", [EVENT], tenant="hog"))
    released.set()
    await measuring
    with pytest.raises(ShareExceededError):
        await small.append(Append("s", [EVENT], tenant="hog"))


async def test_shares_do_not_apply_without_a_memory_limit(store: RedisStore) -> None:
    store.divide({"hog": Shares(bytes=0), "other": Shares()})
    await fill(store, "hog", "s", HALF)


async def test_empty_streams_count(small: RedisStore) -> None:
    small.divide(FAIR)
    await fill(small, "hog", "s", HALF + 8)
    with pytest.raises(ShareExceededError):
        for stream_id in islice(same_node_streams("s"), 10_000):
            await small.append(Append(stream_id, tenant="hog"))
    await fill(small, "other", "s", 1)


async def test_shares_do_not_apply_below_half_of_the_memory(small: RedisStore) -> None:
    small.divide({"hog": Shares(bytes=0), "other": Shares()})
    await fill(small, "hog", "s", HALF // 2)


@pytest.mark.parametrize("shares", [{}, {"hog": Shares()}])
async def test_a_single_tenant_may_use_all_memory(small: RedisStore, shares: dict[str, Shares]) -> None:
    small.divide(shares)
    await fill(small, "hog", "s", HALF + HALF // 2)


async def test_shares_of_streams_are_rejected(store: RedisStore) -> None:
    with pytest.raises(SharesError, match="'hog' has a share of streams, which the Redis store does not count"):
        store.divide({"hog": Shares(streams=5)})
    store.divide({"hog": Shares(streams=0)})
