"""Servers that share one Redis: publishers, deletions, lists and the storage format."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import RedisCluster

from openresponses_grpc.store import (
    Append,
    End,
    EpochMismatchError,
    InvalidPageTokenError,
    OpenStoreError,
    PublisherFencedError,
    StoreUnavailableError,
    StreamNotFoundError,
)
from openresponses_grpc.store.redis import RedisStore, open_redis
from openresponses_grpc.store.redis import _listing as listing
from openresponses_grpc.store.redis._client import FORMAT_KEY, stream_keys
from openresponses_grpc.store.redis._listing import Cursor

from ...support.redis_server import emptied
from .streams import LIMITS, create, read, state_keys

# Publishers


async def test_of_concurrent_publishers_on_two_servers_the_later_number_continues(
    store: RedisStore, redis_url: str
) -> None:
    async with open_redis(redis_url, LIMITS) as other:
        for number in range(20):
            stream_id = str(number)
            drawn = [(one, await one.append(Append(stream_id, publisher=0))) for one in (store, other)]
            log: dict[int, bytes] = {}

            async def publish(
                one: RedisStore, end: End, stream_id: str = stream_id, log: dict[int, bytes] = log
            ) -> bool:
                claim = Append(stream_id, epoch=end.epoch, publisher=end.publisher)
                try:
                    end = await one.append(claim)
                    for n in range(10):
                        made = b"%d by %d" % (n, claim.publisher or 0)
                        at = end.next_offset
                        end = await one.append(claim._replace(events=[made], first_offset=at))
                        assert at not in log
                        log[at] = made
                except PublisherFencedError:
                    return False
                return True

            # The publisher with the earlier number can finish before the later claim; then it is not fenced.
            assert (await asyncio.gather(*(publish(one, end) for one, end in drawn)))[1]
            with pytest.raises(PublisherFencedError):
                await store.append(Append(stream_id, epoch=drawn[0][1].epoch, publisher=drawn[0][1].publisher))
            events = (await read(other, stream_id=stream_id)).events
            assert list(events) == [log[offset] for offset in range(len(log))]


async def test_renewing_a_lease_does_not_recreate_a_deleted_stream(
    store: RedisStore, redis: Any, redis_url: str
) -> None:
    async with open_redis(redis_url, LIMITS) as other:
        async with store.publishing("s", await create(store)):
            await other.delete("s", None)
            await store.renew()
            assert not await state_keys(redis)
            epoch = await create(other)
            await store.renew()
        assert not [field for field in await redis.hkeys(stream_keys("s").state) if field.startswith(b"publisher")]
        assert (await other.info("s")).epoch == epoch
        with pytest.raises(EpochMismatchError):
            async with store.publishing("s", epoch + 1):
                pass


async def test_a_server_appends_to_a_stream_that_another_server_recreated(store: RedisStore, redis_url: str) -> None:
    async with open_redis(redis_url, LIMITS) as other:
        await store.append(Append("s", [b"a", b"b"]))
        await other.delete("s", None)
        await other.append(Append("s", [b"c"]))
        assert (await store.append(Append("s", [b"d"]))).next_offset == 2
        assert list((await read(store)).events) == [b"c", b"d"]


# Lists


async def collect(store: RedisStore, page_size: int) -> list[str]:
    """Returns the ids on all pages."""
    ids: list[str] = []
    token: str | None = None
    while token != "":
        page = await store.list(page_size, token or "", lambda _: True)
        assert len(page.streams) <= page_size
        ids += [info.stream_id for info in page.streams]
        token = page.next_page_token
    return ids


@pytest.mark.parametrize("page_size", [1, 7, 1000])
async def test_pages_list_the_streams_of_all_cluster_nodes_once(redis_cluster_url: str, page_size: int) -> None:
    async with emptied(redis_cluster_url) as cluster, open_redis(redis_cluster_url, LIMITS) as store:
        ids = [f"resp_{number}" for number in range(100)]
        await asyncio.gather(*(store.append(Append(stream_id, [b"a"])) for stream_id in ids))
        assert isinstance(cluster, RedisCluster)
        homes = {cluster.get_node_from_key(stream_keys(stream_id).log) for stream_id in ids}
        assert homes == {*cluster.get_primaries()}
        assert sorted(await collect(store, page_size)) == sorted(ids)


async def test_pages_skip_other_keys_and_deleted_streams(
    store: RedisStore, redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "SCANS", 1)
    for number in range(100):
        await redis.set(f"other:{number}", "")
    for stream_id in "abc":
        await create(store, stream_id)
    first = await store.list(10, "", lambda _: True)
    token = str(Cursor("", 0, ["a", "gone"]))
    await store.delete("b", None)
    assert [info.stream_id for info in (await store.list(1, token, lambda _: True)).streams] == ["a"]
    assert len(first.streams) <= 3
    assert sorted(await collect(store, 10)) == ["a", "c"]


@pytest.mark.parametrize(
    "token",
    ["?", "é", "bnVsbA==", "e30=", str(Cursor("elsewhere:1", 0, [])), str(Cursor("", "0", [])), "W10="],  # type: ignore[arg-type]
)
async def test_a_foreign_page_token_is_rejected(store: RedisStore, token: str) -> None:
    with pytest.raises(InvalidPageTokenError):
        await store.list(10, token, lambda _: True)


# The format


@pytest.mark.parametrize("version", ["1", "4"])
async def test_a_stream_in_another_format_is_refused(store: RedisStore, redis: Any, version: str) -> None:
    epoch = (await store.append(Append("s", [b"a"]))).epoch
    state = stream_keys("s").state
    if version == "1":
        await redis.hdel(state, "format")  # format 1 had no such field
    else:
        await redis.hset(state, "format", version)
    before = await redis.hgetall(state)
    for call in (
        store.append(Append("s", [b"b"])),
        read(store),
        store.info("s"),
        store.list(10, "", lambda _: True),
        store.delete("s", None),
    ):
        with pytest.raises(StoreUnavailableError, match=f"has format {version}, and this server uses 3"):
            await call
    with pytest.raises(StoreUnavailableError, match=f"has format {version}"):
        async with store.publishing("s", epoch):
            pass
    assert await redis.hgetall(state) == before
    assert await redis.xlen(stream_keys("s").log) == 1


async def test_a_redis_with_streams_in_another_format_is_not_opened(redis: Any, redis_url: str) -> None:
    async with open_redis(redis_url, LIMITS):
        assert await redis.get(FORMAT_KEY) == b"3"
    await redis.set(FORMAT_KEY, "4")
    with pytest.raises(OpenStoreError, match="streams of format 4, and this version requires format 3"):
        async with open_redis(redis_url, LIMITS):
            pass


async def test_an_append_with_the_epoch_of_a_deleted_stream_is_not_found(store: RedisStore, redis_url: str) -> None:
    async with open_redis(redis_url, LIMITS) as other:
        end = await store.append(Append("s", [b"a"]))
        await other.delete("s", end.epoch)
        with pytest.raises(StreamNotFoundError):
            await store.append(Append("s", [b"b"], epoch=end.epoch))
