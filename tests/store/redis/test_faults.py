"""The store in Redis when connections break, and Redis is full, down or moved."""

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
from .streams import LIMITS, listening, read, waiting


class LossyProxy:
    """Stands between a store and Redis, and can lose the answers."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.loses = False

    async def __aenter__(self) -> str:
        self.server = await asyncio.start_server(self.carry, "127.0.0.1", 0)
        return f"redis://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        await self.server.wait_closed()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self.port)
        requests = asyncio.create_task(self.copy(reader, to_writer))
        await self.copy(to_reader, writer, answers=True)
        await requests

    async def copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, answers: bool = False) -> None:
        while (data := await source.read(1 << 16)) and not (answers and self.loses):
            sink.write(data)
        sink.close()


@pytest.mark.parametrize("first_offset", [None, 0])
async def test_an_append_whose_answer_is_lost_is_stored_once(
    redis: Any, redis_server: RedisServer, first_offset: int | None
) -> None:
    proxy = LossyProxy(redis_server.port)
    async with proxy as url, open_store(url, LIMITS) as store:
        proxy.loses = True
        with pytest.raises(StoreUnavailableError):
            await store.append(Append("s", [b"a"], first_offset=first_offset))
        proxy.loses = False
        assert (await store.append(Append("s", [b"a", b"b"], first_offset=0))).next_offset == 2
        assert list((await read(store)).events) == [b"a", b"b"]


async def test_a_redis_that_has_forgotten_the_scripts_is_told_them_again(store: RedisStore, redis: Any) -> None:
    for number in range(3):
        await redis.script_flush()
        assert (await store.append(Append("s", [b"a"]))).next_offset == number + 1
        await redis.script_flush()
        assert len((await read(store)).events) == number + 1


async def test_a_full_redis_refuses_events_and_still_knows_of_publishers(store: RedisStore, redis: Any) -> None:
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
    "fails, heals",
    [
        ("CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0"),
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
    ],
)
async def test_a_redis_that_does_not_take_writes_for_now_is_unavailable(
    store: RedisStore, redis: Any, fails: str, heals: str
) -> None:
    await redis.execute_command(fails)
    try:
        with pytest.raises(StoreUnavailableError):
            await store.append(Append("s", [b"a"]))
    finally:
        await redis.execute_command(heals)
    assert (await store.append(Append("s", [b"a"]))).next_offset == 1


@pytest.fixture
def own_server(request: pytest.FixtureRequest, tmp_path: Path, unused_tcp_port: int) -> Iterator[RedisServer]:
    """A server of the test's own, which it may kill, with the options of its parameter."""
    with running(RedisServer(tmp_path, unused_tcp_port, *request.param)) as server:
        yield server


always = pytest.mark.parametrize(
    "own_server", [("--appendonly", "yes", "--appendfsync", "always")], indirect=True, ids=["appendfsync always"]
)


@always
async def test_a_redis_that_is_killed_has_lost_nothing_that_was_acknowledged(own_server: RedisServer) -> None:
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
async def test_appends_that_go_together_fail_and_heal_together(own_server: RedisServer) -> None:
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


async def test_what_is_no_stream_is_no_fault_that_passes(store: RedisStore, redis: Any) -> None:
    await redis.set(stream_keys("s").state, "something else")
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        await store.append(Append("s", [b"a"]))


@always
async def test_a_reader_who_waits_is_told_when_redis_is_down_and_waits_again_when_it_is_back(
    own_server: RedisServer,
) -> None:
    async with open_redis(own_server.url, LIMITS) as store:
        reader = waiting(store)
        async with emptied(own_server.url) as redis:
            await listening(redis, 1)
        own_server.end(signal.SIGKILL)
        with pytest.raises(StoreUnavailableError):
            await reader
        with pytest.raises(StoreUnavailableError):
            await store.append(Append("s", [b"a"]))
        own_server.start()
        reader = waiting(store)
        await store.append(Append("s", [b"a"]))
        assert list((await reader).events) == [b"a"]


@always
async def test_a_redis_that_hangs_is_told_from_one_that_is_silent(
    own_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "PING_SECONDS", 0.05)
    timeouts = "socket_timeout=0.2&socket_connect_timeout=0.2"
    async with emptied(own_server.url) as redis, open_redis(f"{own_server.url}?{timeouts}", LIMITS) as store:

        async def listening_connections() -> list[str]:
            return [client["id"] for client in await redis.client_list() if client["ssub"] != "0"]

        reader = waiting(store)
        await listening(redis, 1)
        before = await listening_connections()
        assert not (await store.read("s", 0, epoch=None, max_bytes=1, timeout=0.3)).events
        assert await listening_connections() == before
        own_server.process.send_signal(signal.SIGSTOP)
        with pytest.raises(StoreUnavailableError):
            await reader
        own_server.process.send_signal(signal.SIGCONT)
        reader = waiting(store)
        await store.append(Append("s", [b"a"]))
        assert list((await reader).events) == [b"a"]


@pytest.mark.parametrize("own_server", [("--appendonly", "no")], indirect=True, ids=["appendonly no"])
async def test_publishers_and_readers_are_told_of_acknowledged_events_that_redis_has_lost(
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
            waiting(store, 10, epoch=epoch, check=known),
            waiting(store, 3, epoch=epoch, check=known),
        ):
            with pytest.raises(StreamDivergedError) as diverged:
                await call
            assert diverged.value.metadata == {"next_offset": "5"}
        with pytest.raises(StreamNotFoundError):
            await waiting(store, 1, stream_id="t", epoch=1)
