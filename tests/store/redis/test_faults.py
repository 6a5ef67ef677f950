"""The Redis store when connections break, or Redis is full, down or read-only."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from openresponses_grpc.store import (
    Append,
    Check,
    OffsetGapError,
    StoreFullError,
    StoreUnavailableError,
    StreamDivergedError,
    StreamNotFoundError,
    open_store,
)
from openresponses_grpc.store.redis import RedisStore, open_redis
from openresponses_grpc.store.redis import _listener as listener
from openresponses_grpc.store.redis._client import stream_keys

from ...support.redis_server import RedisServer, emptied, running
from .streams import LIMITS, read, wait_until_subscribed, waiting_read


class LossyProxy:
    """A proxy between a store and Redis that can drop replies."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.drops_replies = False

    async def __aenter__(self) -> str:
        self.server = await asyncio.start_server(self.carry, "127.0.0.1", 0)
        return f"redis://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        await self.server.wait_closed()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self.port)
        requests = asyncio.create_task(self.copy(reader, to_writer))
        await self.copy(to_reader, writer, replies=True)
        await requests

    async def copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, replies: bool = False) -> None:
        while (data := await source.read(1 << 16)) and not (replies and self.drops_replies):
            sink.write(data)
        sink.close()


@pytest.mark.parametrize("first_offset", [None, 0])
async def test_an_append_with_a_lost_reply_is_stored_once(
    redis: Any, redis_server: RedisServer, first_offset: int | None
) -> None:
    proxy = LossyProxy(redis_server.port)
    async with proxy as url, open_store(url, LIMITS) as store:
        proxy.drops_replies = True
        with pytest.raises(StoreUnavailableError):
            await store.append(Append("s", [b"a"], first_offset=first_offset))
        proxy.drops_replies = False
        assert (await store.append(Append("s", [b"a", b"b"], first_offset=0))).next_offset == 2
        assert list((await read(store)).events) == [b"a", b"b"]


async def test_scripts_are_reloaded_after_a_script_flush(store: RedisStore, redis: Any) -> None:
    for number in range(3):
        await redis.script_flush()
        assert (await store.append(Append("s", [b"a"]))).next_offset == number + 1
        await redis.script_flush()
        assert len((await read(store)).events) == number + 1


async def test_a_full_redis_refuses_events_and_still_renews_leases(store: RedisStore, redis: Any) -> None:
    epoch = (await store.append(Append("s", [b"a"]))).epoch
    await redis.config_set("maxmemory", 1)
    try:
        async with store.publishing("s", epoch):
            with pytest.raises(StoreFullError):
                await store.append(Append("s", [b"b"]))
            await store.renew()
            assert any(field.startswith(b"publisher:") for field in await redis.hkeys(stream_keys("s").state))
    finally:
        await redis.config_set("maxmemory", 0)
    assert (await store.append(Append("s", [b"b"], first_offset=1))).next_offset == 2


@pytest.mark.parametrize(
    "fails, repairs",
    [
        ("CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0"),
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
    ],
)
async def test_a_redis_that_temporarily_refuses_writes_is_unavailable(
    store: RedisStore, redis: Any, fails: str, repairs: str
) -> None:
    await redis.execute_command(fails)
    try:
        with pytest.raises(StoreUnavailableError):
            await store.append(Append("s", [b"a"]))
    finally:
        await redis.execute_command(repairs)
    assert (await store.append(Append("s", [b"a"]))).next_offset == 1


@pytest.fixture
def own_server(request: pytest.FixtureRequest, tmp_path: Path, unused_tcp_port: int) -> Iterator[RedisServer]:
    """A Redis server for one test, which may kill it, with the options of the parameter."""
    with running(RedisServer(tmp_path, unused_tcp_port, *request.param)) as server:
        yield server


always = pytest.mark.parametrize(
    "own_server", [("--appendonly", "yes", "--appendfsync", "always")], indirect=True, ids=["appendfsync always"]
)


@always
async def test_a_killed_redis_loses_no_acknowledged_event(own_server: RedisServer) -> None:
    acknowledged = 0

    async def publish(store: RedisStore, *, hundredth: asyncio.Event) -> None:
        nonlocal acknowledged
        while True:
            event = b"%d" % acknowledged
            acknowledged = (await store.append(Append("s", [event], first_offset=acknowledged))).next_offset
            if acknowledged % 100 == 0:
                hundredth.set()

    async with open_redis(own_server.url, LIMITS) as store:
        for _ in range(2):
            hundredth = asyncio.Event()
            publisher = asyncio.create_task(publish(store, hundredth=hundredth))
            await hundredth.wait()
            own_server.end(signal.SIGKILL)
            with pytest.raises(StoreUnavailableError):
                await publisher
            own_server.start()
            events = (await read(store)).events
            assert len(events) in (acknowledged, acknowledged + 1)
            assert list(events) == [b"%d" % number for number in range(len(events))]


@always
async def test_pipelined_appends_fail_and_recover_together(own_server: RedisServer) -> None:
    async with open_redis(own_server.url, LIMITS) as store:
        for before in range(2):
            positions = await asyncio.gather(
                *(store.append(Append(str(stream), [b"a"], first_offset=before)) for stream in range(60))
            )
            assert {position.next_offset for position in positions} == {before + 1}
            own_server.end(signal.SIGKILL)
            failures = await asyncio.gather(
                *(store.append(Append(str(stream), [b"a"])) for stream in range(60)), return_exceptions=True
            )
            assert {type(failure) for failure in failures} == {StoreUnavailableError}
            own_server.start()


async def test_a_key_of_another_type_is_not_a_temporary_failure(store: RedisStore, redis: Any) -> None:
    await redis.set(stream_keys("s").state, "something else")
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        await store.append(Append("s", [b"a"]))


@always
async def test_a_waiting_reader_fails_when_redis_is_killed_and_can_wait_again_after_its_restart(
    own_server: RedisServer,
) -> None:
    async with open_redis(own_server.url, LIMITS) as store:
        reader = waiting_read(store)
        async with emptied(own_server.url) as redis:
            await wait_until_subscribed(redis, 1)
        own_server.end(signal.SIGKILL)
        with pytest.raises(StoreUnavailableError):
            await reader
        with pytest.raises(StoreUnavailableError):
            await store.append(Append("s", [b"a"]))
        own_server.start()
        reader = waiting_read(store)
        await store.append(Append("s", [b"a"]))
        assert list((await reader).events) == [b"a"]


@always
async def test_a_hung_redis_is_distinguished_from_an_idle_one(
    own_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "PING_SECONDS", 0.05)
    timeouts = "socket_timeout=0.2&socket_connect_timeout=0.2"
    async with emptied(own_server.url) as redis, open_redis(f"{own_server.url}?{timeouts}", LIMITS) as store:

        async def listening_connections() -> list[str]:
            return [client["id"] for client in await redis.client_list() if client["ssub"] != "0"]

        reader = waiting_read(store)
        await wait_until_subscribed(redis, 1)
        before = await listening_connections()
        assert not (await store.read("s", 0, epoch=None, max_bytes=1, timeout=0.3)).events
        assert await listening_connections() == before
        own_server.process.send_signal(signal.SIGSTOP)
        with pytest.raises(StoreUnavailableError):
            await reader
        own_server.process.send_signal(signal.SIGCONT)
        reader = waiting_read(store)
        await store.append(Append("s", [b"a"]))
        assert list((await reader).events) == [b"a"]


@pytest.mark.parametrize("own_server", [("--appendonly", "no")], indirect=True, ids=["appendonly no"])
async def test_publishers_and_readers_detect_acknowledged_events_that_redis_lost(
    own_server: RedisServer,
) -> None:
    async with open_redis(own_server.url, LIMITS) as store:
        epoch = (await store.append(Append("s", [b"a"] * 5))).epoch
        with Redis(port=own_server.port) as redis:
            redis.save()
        lost = await store.append(Append("s", [b"b"] * 5))
        known = Check(lost.next_offset, lost.checksum)
        await store.append(Append("t", [b"b"]))
        own_server.end(signal.SIGKILL)
        await asyncio.to_thread(own_server.start)
        with pytest.raises(OffsetGapError) as gap:
            await store.append(Append("s", [b"c"], first_offset=10, epoch=epoch))
        assert gap.value.metadata == {"next_offset": "5"}
        for call in (
            store.append(Append("s", [b"c"], first_offset=10, epoch=epoch, check=known)),
            waiting_read(store, 10, epoch=epoch, check=known),
            waiting_read(store, 3, epoch=epoch, check=known),
        ):
            with pytest.raises(StreamDivergedError) as diverged:
                await call
            assert diverged.value.metadata == {"next_offset": "5"}
        with pytest.raises(StreamNotFoundError):
            await waiting_read(store, 1, stream_id="t", epoch=1)
