"""Exceptions of redis-py and error replies become store errors, and leak no pipeline slots."""

import asyncio
import logging
import random
import signal
from pathlib import Path
from typing import Any

import pytest
from redis import exceptions
from redis.asyncio.connection import AbstractConnection

from openresponses_grpc.store import Append, StoreFullError, StoreUnavailableError
from openresponses_grpc.store.redis import RedisStore, open_redis
from openresponses_grpc.store.redis import _store as redis_store
from openresponses_grpc.store.redis._errors import store_error
from openresponses_grpc.store.redis._pipeline import CONNECTIONS

from ...support.redis_server import RedisServer, running
from .streams import LIMITS, read

TEMPORARY = (
    exceptions.ClusterDownError("The cluster is down"),
    exceptions.ConnectionError("Connection reset by peer"),
    exceptions.BusyLoadingError("Redis is loading the dataset in memory"),
    exceptions.MasterDownError("Link with MASTER is down"),
    exceptions.MovedError("1 127.0.0.1:1"),
    exceptions.ReadOnlyError("You can't write against a read only replica."),
    exceptions.ResponseError("MISCONF Redis is configured to save RDB snapshots"),
    exceptions.ResponseError("NOREPLICAS Not enough good replicas to write."),
    exceptions.TimeoutError("Timeout reading from 127.0.0.1"),
    exceptions.TryAgainError("Multiple keys request during rehashing of slot"),
    ConnectionResetError(),
    TimeoutError(),
)

UNEXPECTED = (
    AttributeError("'NoneType' object has no attribute 'name'"),
    IndexError("list index out of range"),
    KeyError("127.0.0.1:7000"),
    RuntimeError("dictionary changed size during iteration"),
    TypeError("'NoneType' object is not iterable"),
    asyncio.InvalidStateError("invalid state"),
    exceptions.DataError("Invalid input of type: 'NoneType'"),
    exceptions.InvalidResponse("Protocol Error"),
    exceptions.SlotNotCoveredError('Slot "1" not covered by the cluster.'),
)


@pytest.mark.parametrize("error", TEMPORARY, ids=repr)
def test_a_temporary_redis_failure_is_unavailable(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    assert isinstance(store_error(error), StoreUnavailableError)
    assert not caplog.records


@pytest.mark.parametrize("error", UNEXPECTED, ids=repr)
def test_an_unexpected_exception_is_unavailable_and_logged_with_its_traceback(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    assert isinstance(store_error(error), StoreUnavailableError)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info
    assert record.exc_info[1] is error


@pytest.mark.parametrize(
    "error, found",
    [
        (exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."), StoreFullError),
        (exceptions.ResponseError("WRONGTYPE Operation against a key"), exceptions.ResponseError),
        (exceptions.NoPermissionError("this user has no permissions"), exceptions.NoPermissionError),
    ],
    ids=repr,
)
def test_a_permanent_error_reply_is_not_reported_as_unavailable(error: Exception, found: type[Exception]) -> None:
    assert type(store_error(error)) is found


@pytest.mark.parametrize("error", [AttributeError("no attribute"), ConnectionResetError()], ids=repr)
@pytest.mark.parametrize("method", ["pack_commands", "send_packed_command", "read_response"])
async def test_an_exception_leaks_no_pipeline_slot(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch, method: str, error: Exception
) -> None:
    await store.append(Append("s", [b"a"]))
    with monkeypatch.context() as patch:

        def fail(*_: object, **__: object) -> None:
            raise error

        patch.setattr(AbstractConnection, method, fail)
        appends = (store.append(Append(str(number), [b"a"])) for number in range(50 * CONNECTIONS))
        failures = await asyncio.gather(*appends, return_exceptions=True)
        assert {type(failure) for failure in failures} == {StoreUnavailableError}
    ends = await asyncio.gather(*(store.append(Append(str(number), [b"a"])) for number in range(50 * CONNECTIONS)))
    assert {end.next_offset for end in ends} <= {1, 2}  # an append whose reply was not read may be stored
    assert list((await read(store)).events) == [b"a"]


async def test_a_cancelled_call_leaks_no_slot_and_no_connection(store: RedisStore, redis: Any) -> None:
    async def connections() -> set[str]:
        return {client["id"] for client in await redis.client_list() if client["cmd"].startswith("eval")}

    async def append(number: int) -> None:
        while True:
            await store.append(Append(str(number), [b"a"]))

    await asyncio.gather(*(store.append(Append(str(number), [b"a"])) for number in range(50 * CONNECTIONS)))
    before = await connections()
    for _ in range(20):
        appends = [asyncio.create_task(append(number)) for number in range(2 * CONNECTIONS)]
        for _ in range(random.randrange(200)):
            await asyncio.sleep(0)
        for task in appends:
            task.cancel()
        await asyncio.wait(appends)
        assert all(task.cancelled() for task in appends)
    await asyncio.gather(*(store.append(Append(str(number), [b"a"])) for number in range(50 * CONNECTIONS)))
    assert await connections() == before


async def test_an_eviction_policy_set_at_run_time_is_detected(
    store: RedisStore, redis: Any, caplog: pytest.LogCaptureFixture
) -> None:
    await store.append(Append("s", [b"a"]))
    await redis.config_set("maxmemory", 1 << 30)
    await store.check()
    await redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        for _ in range(2):
            with pytest.raises(
                StoreUnavailableError, match="maxmemory-policy allkeys-lru, which evicts acknowledged events"
            ):
                await store.check()
        with pytest.raises(
            StoreUnavailableError, match="maxmemory-policy allkeys-lru, which evicts acknowledged events"
        ):
            await store.append(Append("s", [b"b"]))
        assert list((await read(store)).events) == [b"a"]
    finally:
        await redis.config_set("maxmemory-policy", "noeviction")
    await store.check()
    await redis.config_set("maxmemory", 0)
    assert (await store.append(Append("s", [b"b"]))).next_offset == 2
    lines = [record.getMessage() for record in caplog.records if "maxmemory-policy" in record.getMessage()]
    assert len(lines) == 1
    assert "set it to noeviction" in lines[0]


async def test_an_open_store_checks_the_redis_configuration_periodically(
    redis: Any, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_store, "CHECK_SECONDS", 0.01)
    async with open_redis(redis_url, LIMITS) as store:
        await redis.config_set("maxmemory", 1 << 30)
        await redis.config_set("maxmemory-policy", "volatile-ttl")
        try:
            with pytest.raises(StoreUnavailableError, match="maxmemory-policy volatile-ttl"):
                while True:
                    await store.append(Append("s", [b"a"]))
        finally:
            await redis.config_set("maxmemory-policy", "noeviction")
            await redis.config_set("maxmemory", 0)


async def test_the_check_fails_while_redis_is_down(tmp_path: Path, unused_tcp_port: int) -> None:
    with running(RedisServer(tmp_path, unused_tcp_port)) as server:
        async with open_redis(server.url, LIMITS) as store:
            await store.check()
            server.end(signal.SIGKILL)
            with pytest.raises(StoreUnavailableError):
                await store.check()
            await asyncio.to_thread(server.start)
            await store.check()
