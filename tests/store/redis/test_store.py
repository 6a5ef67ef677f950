"""The Redis store: behaviour beyond that of every store."""

import asyncio
from typing import Any

import pytest

from openresponses_grpc import AsyncEventStreamClient
from openresponses_grpc.codec._raw_messages import BATCH_BYTES
from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.store import (
    Append,
    Check,
    End,
    EpochMismatchError,
    OffsetTrimmedError,
    StoreLimits,
    StreamAbandonedError,
    StreamDivergedError,
    StreamNotFoundError,
    open_store,
)
from openresponses_grpc.store.redis import RedisStore, open_redis
from openresponses_grpc.store.redis import _store as redis_store
from openresponses_grpc.store.redis import _waiters as waiters
from openresponses_grpc.store.redis._client import stream_keys
from openresponses_grpc.store.redis._store import LEASE_SECONDS, RENEW_SECONDS

from ...support.events import event, number
from ...support.redis_server import emptied, pass_time
from .streams import LIMITS, create, read, state_keys, wait_until_subscribed, waiting_read


async def clients(redis: Any) -> list[dict[str, str]]:
    """Returns the connections of a Redis server, except those of the test."""
    return [client for client in await redis.client_list() if not client["cmd"].startswith("client")]


# The log


@pytest.mark.parametrize(
    "deleted, start, oldest",
    [(["1-0"], 0, 1), (["1-0", "3-0"], 0, 3), (["3-0"], 1, 3), (["3-0"], 2, 3), (["1-0", "3-0", "4-0"], 2, 4)],
)
async def test_events_missing_from_the_log_are_not_skipped(
    store: RedisStore, redis: Any, deleted: list[str], start: int, oldest: int
) -> None:
    for events in ([b"a"], [b"b", b"c"], [b"d"]):
        await store.append(Append("s", events))
    await redis.xdel(stream_keys("s").log, *deleted)
    with pytest.raises(OffsetTrimmedError) as caught:
        await read(store, start)
    assert caught.value.metadata == {"oldest_offset": str(oldest)}


async def test_a_read_stops_at_a_gap_and_the_next_read_reports_it(store: RedisStore, redis: Any) -> None:
    for events in ([b"a"], [b"b"], [b"c"]):
        await store.append(Append("s", events))
    await redis.xdel(stream_keys("s").log, "2-0")
    assert list((await read(store)).events) == [b"a"]
    with pytest.raises(OffsetTrimmedError):
        await read(store, 1)


async def test_leftovers_of_an_old_log_do_not_appear_in_a_new_stream(store: RedisStore, redis: Any) -> None:
    await store.append(Append("s", [b"a"] * 5))
    await redis.delete(stream_keys("s").state)
    assert (await store.append(Append("s", [b"b"]))).next_offset == 1
    assert list((await read(store)).events) == [b"b"]


@pytest.mark.parametrize("sizes", [[10] * 1000, [BATCH_BYTES // 2] * 5, [1, 3 * BATCH_BYTES, 1], [1] * 300 + [10**6]])
@pytest.mark.parametrize("at_once", [True, False])
async def test_entries_of_any_size_are_read_in_batches(store: RedisStore, sizes: list[int], at_once: bool) -> None:
    events = [number.to_bytes(2, "big") + bytes(size) for number, size in enumerate(sizes)]
    step = len(events) if at_once else 3
    for start in range(0, len(events), step):
        await store.append(Append("s", events[start : start + step]))
    received: list[bytes] = []
    while len(received) < len(events):
        batch = (await read(store, len(received))).events
        assert len(batch) == 1 or sum(map(len, batch)) <= BATCH_BYTES
        received += batch
    assert received == events


async def test_stream_ids_with_special_characters_do_not_collide(redis_cluster_url: str) -> None:
    ids = ["s", "{", "}", "{}", "{s}", "}s{", "s:log", "s:state", "ß", "%", "%7B", " ", "\n", "\0", "s" * 256]
    async with emptied(redis_cluster_url), open_store(redis_cluster_url, LIMITS) as store:
        for stream_id in ids:
            await store.append(Append(stream_id, [stream_id.encode()], first_offset=0, end_of_stream=True))
        for stream_id in ids:
            assert list((await read(store, stream_id=stream_id)).events) == [stream_id.encode()]


# Several servers


async def test_servers_over_one_redis_share_streams(store: RedisStore, redis_url: str) -> None:
    async with open_redis(redis_url, LIMITS) as other:
        reader = waiting_read(other)
        first = await store.append(Append("s", [b"a"]))
        assert list((await reader).events) == [b"a"]
        reader = waiting_read(other, 1, epoch=first.epoch)
        second = await other.append(Append("s", [b"b"], epoch=first.epoch))
        assert (second.next_offset, second.epoch) == (2, first.epoch)
        assert list((await reader).events) == [b"b"]
        await store.append(Append("s", [], end_of_stream=True, epoch=first.epoch))
        assert (await read(other, 2)).end_of_stream


async def test_clients_can_use_any_server_over_one_redis(store: RedisStore, redis_url: str) -> None:
    async with (
        open_redis(redis_url, LIMITS) as other,
        running_server(StreamService(store), "127.0.0.1:0") as one_address,
        running_server(StreamService(other), "127.0.0.1:0") as other_address,
        AsyncEventStreamClient(one_address) as one_client,
        AsyncEventStreamClient(other_address) as other_client,
    ):

        async def collect(client: AsyncEventStreamClient) -> list[int]:
            return [number(made) async for made in client.subscribe("s")]

        subscribers = [asyncio.create_task(collect(client)) for client in (one_client, other_client) * 5]
        for client, numbers in ((one_client, range(500)), (other_client, range(500, 1000))):
            with pytest.raises(ZeroDivisionError):
                async with client.publish("s") as publisher:
                    for made in map(event, numbers):
                        await publisher.send(made)
                    await publisher.flush()
                    raise ZeroDivisionError  # leaves the stream open
        async with one_client.publish("s"):
            pass
        assert await asyncio.gather(*subscribers) == [list(range(1000))] * 10


async def test_one_of_several_appends_at_one_offset_succeeds_and_appends_without_offset_are_all_stored(
    store: RedisStore, redis_url: str
) -> None:
    async with open_redis(redis_url, LIMITS) as other:
        both = [(one, b"%d" % number) for number in range(20) for one in (store, other)]
        calls = (one.append(Append("s", [event, event], first_offset=0)) for one, event in both)
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert [end.next_offset for end in outcomes if isinstance(end, End)] == [2, 2]
        assert sum(isinstance(outcome, StreamDivergedError) for outcome in outcomes) == 38
        events = (await read(store)).events
        assert events[0] == events[1]
        ends = await asyncio.gather(*(one.append(Append("s", [event])) for one, event in both))
        assert sorted(end.next_offset for end in ends) == list(range(3, 43))
        assert len((await read(store)).events) == 42


async def test_a_publisher_of_another_server_is_present_until_its_lease_ends(
    store: RedisStore, redis: Any, redis_url: str
) -> None:
    epoch = await create(store)
    async with open_redis(redis_url, LIMITS) as other, other.publishing("s", epoch):
        await other.append(Append("s", [b"a"]))
        for _ in range(20):
            await pass_time(redis, RENEW_SECONDS)
            await other.renew()
        await pass_time(redis, LEASE_SECONDS + 9)
        assert not (await read(store, 1)).events
        await pass_time(redis, 2)
        with pytest.raises(StreamAbandonedError):
            await read(store, 1)


async def test_leases_are_renewed_while_publishers_are_connected_and_after_a_fault(
    redis: Any, redis_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(redis_store, "RENEW_SECONDS", 0.02)

    async def until() -> int:
        fields = await redis.hgetall(stream_keys("s").state)
        return max((int(time) for field, time in fields.items() if field.startswith(b"publisher:")), default=0)

    async with (
        asyncio.timeout(30),
        open_redis(redis_url, LIMITS) as store,
        store.publishing("s", await create(store)),
    ):
        first = await until()
        while (renewed := await until()) == first:
            pass
        await redis.execute_command("REPLICAOF 127.0.0.1 1")
        while "cannot renew the leases of publishers" not in caplog.text:
            await redis.ping()
        await redis.execute_command("REPLICAOF NO ONE")
        while await until() == renewed:
            pass
    assert await until() == 0


async def test_a_waiting_reader_is_told_when_the_publisher_of_another_server_leaves(redis: Any, redis_url: str) -> None:
    limits = StoreLimits(abandon_after=0.05)
    async with open_redis(redis_url, limits) as here, open_redis(redis_url, limits) as there:
        epoch = await create(here)
        async with there.publishing("s", epoch), here.publishing("s", epoch):
            reader = waiting_read(here)
            await wait_until_subscribed(redis, 1)
        with pytest.raises(StreamAbandonedError):
            await reader


async def test_a_publisher_can_leave_one_server_and_stay_on_another(
    store: RedisStore, redis: Any, redis_url: str
) -> None:
    epoch = await create(store)
    async with open_redis(redis_url, LIMITS) as other, other.publishing("s", epoch):
        async with store.publishing("s", epoch), store.publishing("s", epoch):
            pass
        await pass_time(redis, 11)
        assert not (await read(store)).events


@pytest.mark.parametrize("finished", [True, False])
async def test_an_ended_or_abandoned_stream_is_removed_from_redis(
    store: RedisStore, redis: Any, finished: bool
) -> None:
    async with store.publishing("s", await create(store)):
        first = await store.append(Append("s", [b"a"], end_of_stream=finished))
    lives = LIMITS.retention if finished else LEASE_SECONDS + LIMITS.abandon_after + LIMITS.retention
    await pass_time(redis, lives - 1)
    assert (await read(store, epoch=first.epoch)).events
    await pass_time(redis, 2)
    assert not await state_keys(redis)
    with pytest.raises(StreamNotFoundError):
        await read(store, epoch=first.epoch)


# Waiting


async def test_any_number_of_readers_share_one_listening_connection(store: RedisStore, redis: Any) -> None:
    readers = {number: waiting_read(store, stream_id=str(number)) for number in range(100)}
    await wait_until_subscribed(redis, 100)
    connections = await clients(redis)
    assert [int(client["ssub"]) for client in connections if client["ssub"] != "0"] == [100]
    assert not [client for client in connections if "b" in client["flags"]]
    assert len(connections) < 40
    for stream, reader in readers.items():
        await store.append(Append(str(stream), [b"%d" % stream]))
        assert list((await reader).events) == [b"%d" % stream]


async def test_readers_of_one_stream_share_one_request(store: RedisStore, redis: Any) -> None:
    await store.append(Append("s", [b"a"]))
    await asyncio.gather(*(waiting_read(store, 1) for _ in range(50)), store.append(Append("s", [b"a"])))
    for start in range(2, 5):
        readers = [waiting_read(store, start) for _ in range(50)]
        await redis.config_resetstat()
        await store.append(Append("s", [b"a"]))
        assert len({id((await reader).events) for reader in readers}) == 1
        assert (await redis.info("commandstats"))["cmdstat_evalsha"]["calls"] == 2  # the append and one read


async def test_a_reader_that_joins_others_at_the_end_is_checked_at_once(redis: Any, redis_url: str) -> None:
    async with asyncio.timeout(30), open_redis(redis_url, StoreLimits(abandon_after=600)) as store:
        end = await store.append(Append("s", [b"a"]))
        others = [waiting_read(store, 1) for _ in range(2)]
        await wait_until_subscribed(redis, 1)
        for _ in range(3):  # by then the store knows that this is the end
            assert not (await read(store, 1)).events
        with pytest.raises(StreamDivergedError):
            await waiting_read(store, 1, epoch=end.epoch, check=Check(1, end.checksum ^ 1))
        with pytest.raises(EpochMismatchError):
            await waiting_read(store, 1, epoch=end.epoch + 1)
        await store.append(Append("s", end_of_stream=True))
        for reader in others:
            assert (await reader).end_of_stream
        for _ in range(3):
            assert (await waiting_read(store, 1)).end_of_stream


async def test_a_lost_notification_is_made_up_for_at_the_end_of_the_wait(store: RedisStore, redis: Any) -> None:
    epoch = (await store.append(Append("s", [b"a"]))).epoch
    await store.append(Append("t", [b"a", b"b"]))
    reader = asyncio.create_task(store.read("s", 1, epoch=None, max_bytes=1000, timeout=0.3))
    await wait_until_subscribed(redis, 1)
    async with redis.pipeline(transaction=True) as transaction:
        for key, other in zip(stream_keys("s"), stream_keys("t"), strict=True):
            transaction.copy(other, key, replace=True)
        transaction.hset(stream_keys("s").state, "epoch", epoch)
        await transaction.execute()
    assert list((await reader).events) == [b"b"]


async def test_a_wait_can_exceed_the_socket_timeout(redis: Any, redis_url: str) -> None:
    async with open_store(f"{redis_url}?socket_timeout=0.1", LIMITS) as store:
        assert not (await store.read("s", 0, epoch=None, max_bytes=1000, timeout=0.3)).events
        reader = waiting_read(store)
        await store.append(Append("s", [b"a"]))
        assert list((await reader).events) == [b"a"]


async def test_a_waiting_reader_survives_the_loss_of_its_connection(store: RedisStore, redis: Any) -> None:
    reader = waiting_read(store)
    await wait_until_subscribed(redis, 1)
    assert await redis.execute_command("CLIENT KILL TYPE pubsub") == 1
    await store.append(Append("s", [b"a"]))
    assert list((await reader).events) == [b"a"]


async def test_channels_without_waiting_readers_are_unsubscribed(
    redis: Any, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiters, "SWEEP_SECONDS", 0.02)
    async with open_redis(redis_url, LIMITS) as store:
        readers = [waiting_read(store, stream_id=stream_id) for stream_id in "st"]
        await wait_until_subscribed(redis, 2)
        await store.append(Append("s", [b"a"]))
        await readers[0]
        await wait_until_subscribed(redis, 1)
        await store.append(Append("t", [b"a"]))
        assert list((await readers[1]).events) == [b"a"]


async def test_cancelled_appends_do_not_affect_the_others(store: RedisStore) -> None:
    appends = [asyncio.create_task(store.append(Append(str(number), [b"a"]))) for number in range(60)]
    await asyncio.wait(appends, timeout=0)
    for append in appends[::2]:
        append.cancel()
    assert [position.next_offset for position in await asyncio.gather(*appends[1::2])] == [1] * 30
