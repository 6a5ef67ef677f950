"""Health reports whether the store is writable: full disks, read-only files, and a Redis that is down or hangs."""

import os
import resource
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from redis.asyncio import Redis

from openresponses_grpc.codec import _raw_messages as raw_messages
from openresponses_grpc.server._monitor import Monitor
from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.store import (
    MemoryStore,
    OpenStoreError,
    Store,
    StoreLimits,
    StoreUnavailableError,
    open_store,
)
from openresponses_grpc.v1.stream_service_pb2 import PublishRequest

from ..cli.processes import serving
from ..support.events import event
from ..support.redis_server import RedisServer, running
from ..support.rpc import publish, status

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


@asynccontextmanager
async def health(address: str, service: str = "") -> AsyncIterator[AsyncIterator[int]]:
    """Yields an iterator over the health states of a server as they change."""
    async with grpc.aio.insecure_channel(address) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=service))

        async def states() -> AsyncIterator[int]:
            async for response in watch:
                yield response.status

        yield states()
        watch.cancel()


async def append(address: str) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        await publish(channel, PublishRequest(stream_id="s", events=[event(0)]))


async def test_health_is_not_serving_while_the_disk_is_full(tmp_path: Path) -> None:
    async with serving("--store", f"sqlite:{tmp_path / 'store.db'}") as (process, address):
        async with health(address) as states, health(address, raw_messages.SERVICE_NAME) as service_states:
            assert await anext(states) == await anext(service_states) == SERVING
            await append(address)
            # A limit at the current size would still permit overwriting the file; a limit of 0 permits no write.
            unlimited = resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            assert await anext(states) == await anext(service_states) == NOT_SERVING
            assert (await status(append(address)))[0] == grpc.StatusCode.UNAVAILABLE
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, unlimited)
            assert await anext(states) == await anext(service_states) == SERVING
            await append(address)
        process.terminate()
        assert process.stderr
        lines = [line for line in (await process.stderr.read()).splitlines() if b"health is" in line]
    assert len(lines) == 2
    assert b"ERROR: the store is not writable, health is NOT_SERVING: " in lines[0]
    assert b"store.db cannot be used" in lines[0]
    assert lines[1].endswith(b"WARNING: the store is writable again, health is SERVING")


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Drops root privileges, which would ignore read-only permissions."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.mark.parametrize("name", ["store.db", "store.db-lock"])
async def test_a_read_only_file_is_rejected_at_the_start(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "store.db")
        async with open_store(f"sqlite:{path}", StoreLimits()):
            pass
        for file in (path.parent, *path.parent.iterdir()):
            file.chmod(0o777)
        path.with_name(name).chmod(0o444)
        with ordinary_user(), pytest.raises(OpenStoreError, match="is read-only: give the server's user write access"):
            async with open_store(f"sqlite:{path}", StoreLimits()):
                pass
        path.with_name(name).chmod(0o666)
        with ordinary_user():
            async with open_store(f"sqlite:{path}", StoreLimits()) as store:
                await store.check()


@pytest.fixture
def redis(tmp_path: Path, unused_tcp_port: int) -> Iterator[RedisServer]:
    """A Redis server for one test, which may stop it."""
    with running(RedisServer(tmp_path, unused_tcp_port)) as server:
        yield server


class Reports:
    """The reports of a monitor."""

    def __init__(self, store: Store, timeout: float) -> None:
        self.all: list[bool] = []
        self.monitor = Monitor(store, self.all.append, timeout=timeout)

    async def after(self, checks: int = 3) -> list[bool]:
        for _ in range(checks):
            await self.monitor.check()
        return self.all


async def test_health_is_not_serving_while_redis_is_down(redis: RedisServer) -> None:
    async with open_store(redis.url, StoreLimits()) as store:
        service = StreamService(store)

        def writable() -> float | None:
            return service.metrics.registry.get_sample_value("openresponses_store_writable")

        async with running_server(service, "127.0.0.1:0") as address, health(address) as states:
            assert (await anext(states), writable()) == (SERVING, 1)
            redis.end(signal.SIGKILL)
            assert (await anext(states), writable()) == (NOT_SERVING, 0)
            redis.start()
            assert (await anext(states), writable()) == (SERVING, 1)


async def test_health_is_not_serving_while_redis_hangs(redis: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    async with open_store(redis.url, StoreLimits()) as store:
        reports = Reports(store, timeout=0.2)
        assert await reports.after() == [True]
        redis.process.send_signal(signal.SIGSTOP)
        assert await reports.after() == [True, False]
        redis.process.send_signal(signal.SIGCONT)
        with suppress(StoreUnavailableError):
            await store.check()  # Redis first works off the delayed requests
        assert await reports.after() == [True, False, True]
    assert [line.levelname for line in caplog.records if "health is" in line.getMessage()] == ["ERROR", "WARNING"]
    assert "no reply within 0.2 seconds" in caplog.text


@pytest.mark.parametrize(
    "fails, repairs",
    [
        ("CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0"),
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
    ],
)
async def test_health_is_not_serving_while_redis_refuses_writes(redis: RedisServer, fails: str, repairs: str) -> None:
    client: Any
    async with open_store(redis.url, StoreLimits()) as store, Redis.from_url(redis.url) as client:
        reports = Reports(store, timeout=60)
        assert await reports.after() == [True]
        await client.execute_command(fails)
        assert await reports.after() == [True, False]
        await client.execute_command(repairs)
        assert await reports.after() == [True, False, True]


async def test_health_is_serving_while_redis_is_at_its_maxmemory(redis: RedisServer) -> None:
    async with open_store(redis.url, StoreLimits()) as store, Redis.from_url(redis.url) as client:
        await client.config_set("maxmemory", 1)
        assert await Reports(store, timeout=60).after() == [True]


class Broken(MemoryStore):
    async def check(self) -> None:
        raise AttributeError("unexpected failure")


async def test_health_is_not_serving_after_an_unexpected_exception(caplog: pytest.LogCaptureFixture) -> None:
    async with running_server(StreamService(Broken()), "127.0.0.1:0") as address, health(address) as states:
        assert await anext(states) == NOT_SERVING
    assert "health is NOT_SERVING: unexpected failure" in caplog.text
