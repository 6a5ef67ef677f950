"""Tenants of a Redis: shares of its memory, as its servers measure it."""

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
"""What each Redis server may have beside what it has when it is empty."""

EVENT = b"x" * (256 << 10)

HALF = ROOM // 2 // len(EVENT)
"""Events that make a server more than half full, as it is not empty without them."""

FAIR = {"hog": Shares(), "other": Shares()}


async def configure(redis: Any, room: int | None) -> None:
    """Lets each server of a Redis have so much more than now; None for no limit."""
    nodes = redis.get_primaries() if isinstance(redis, RedisCluster) else [None]
    for node in nodes:
        target = {"target_nodes": node} if node else {}
        used = (await redis.info("memory", **target))["used_memory"]
        await redis.config_set("maxmemory", 0 if room is None else used + room, **target)


@pytest.fixture(params=["redis_url", "redis_cluster_url"])
async def small(request: pytest.FixtureRequest) -> AsyncIterator[RedisStore]:
    """A store in a Redis with little memory."""
    url = request.getfixturevalue(request.param)
    async with emptied(url) as redis, open_redis(url, LIMITS) as store:
        await configure(redis, ROOM)
        try:
            yield store
        finally:
            await configure(redis, None)


def beside(stream_id: str) -> Iterator[str]:
    """Other streams at the same server, also of a cluster of three."""

    def third(stream_id: str) -> int:
        return key_slot(stream_keys(stream_id).log.encode()) * 3 // SLOTS

    return (other for number in count() if third(other := f"s{number}") == third(stream_id))


async def fill(store: RedisStore, tenant: str, stream_id: str, events: int) -> None:
    """Appends events; what tenants have is measured before each."""
    for _ in range(events):
        await store.tenants.measure()
        await store.append(Append(stream_id, [EVENT], tenant=tenant))


async def test_a_tenant_beyond_its_share_is_refused_while_others_have_room(small: RedisStore) -> None:
    small.divide(FAIR)
    with pytest.raises(ShareExceededError) as caught:
        await fill(small, "hog", "s", 100)
    assert caught.value.tenant == "hog"
    assert (await small.info("s")).event_bytes >= ROOM // 2
    await fill(small, "other", next(beside("s")), HALF // 4)
    with pytest.raises(ShareExceededError):
        await fill(small, "hog", "s", 100)
    await small.delete("s", None)
    await fill(small, "hog", "s", 1)


async def test_what_is_appended_between_two_measurements_counts(small: RedisStore) -> None:
    small.divide(FAIR)
    await fill(small, "hog", "s", HALF)
    await small.tenants.measure()
    with pytest.raises(ShareExceededError):
        for _ in range(HALF):
            await small.append(Append("s", [EVENT], tenant="hog"))
    await fill(small, "other", "s", 10)


async def test_streams_without_events_count(small: RedisStore) -> None:
    small.divide(FAIR)
    await fill(small, "hog", "s", HALF + 8)
    with pytest.raises(ShareExceededError):
        for stream_id in islice(beside("s"), 10_000):
            await small.append(Append(stream_id, tenant="hog"))
    await fill(small, "other", "s", 1)


async def test_what_is_less_than_half_full_is_for_everyone(small: RedisStore) -> None:
    small.divide({"hog": Shares(bytes=0), "other": Shares()})
    await fill(small, "hog", "s", HALF // 2)


@pytest.mark.parametrize("shares", [{}, {"hog": Shares()}])
async def test_one_tenant_may_have_everything(small: RedisStore, shares: dict[str, Shares]) -> None:
    small.divide(shares)
    await fill(small, "hog", "s", HALF + HALF // 2)


async def test_shares_of_streams_are_refused(store: RedisStore) -> None:
    with pytest.raises(SharesError, match="'hog' has a share of streams, which the Redis store does not count"):
        store.divide({"hog": Shares(streams=5)})
    store.divide({"hog": Shares(streams=0)})
