"""Runs each test against every store: memory, SQLite, Redis and Redis Cluster."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from openresponses_grpc.store import MemoryStore, Store, StoreLimits
from openresponses_grpc.store.redis import open_redis
from openresponses_grpc.store.redis._store import RENEW_SECONDS
from openresponses_grpc.store.sqlite import open_sqlite

from ...support.redis_server import emptied, pass_time


class Clock:
    """A clock that advances only when a test advances it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.elsewhere: Callable[[float], Awaitable[None]] | None = None

    def __call__(self) -> float:
        return self.now

    async def advance(self, seconds: float) -> None:
        """Advances the clock, and the clock of the store if it has its own."""
        self.now += seconds
        if self.elsewhere:
            await self.elsewhere(seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


LIMITS = StoreLimits(max_streams=20, max_stream_bytes=200, retention=100, abandon_after=10)


@pytest.fixture
def limits() -> StoreLimits:
    """The limits of the store; a test can override them with a parameter."""
    return LIMITS


@asynccontextmanager
async def memory(clock: Clock, limits: StoreLimits) -> AsyncIterator[Store]:
    yield MemoryStore(limits, clock=clock)


@asynccontextmanager
async def sqlite(clock: Clock, limits: StoreLimits) -> AsyncIterator[Store]:
    with TemporaryDirectory() as directory:
        async with open_sqlite(Path(directory, "store.db"), limits, clock=clock) as store:
            yield store


STORES: dict[str, Callable[[Clock, StoreLimits], AbstractAsyncContextManager[Store]]] = {
    "memory": memory,
    "sqlite": sqlite,
}


REDIS = {"redis": "redis_url", "redis cluster": "redis_cluster_url"}
"""The Redis stores, each with the fixture that provides its URL."""


@asynccontextmanager
async def in_redis(url: str, clock: Clock, limits: StoreLimits) -> AsyncIterator[Store]:
    limits = replace(limits, max_streams=StoreLimits.max_streams)
    async with emptied(url) as redis, open_redis(url, limits) as store:

        async def pass_in_redis(seconds: float) -> None:
            while seconds:
                step = min(seconds, RENEW_SECONDS)
                await pass_time(redis, step)
                await store.renew()
                seconds -= step

        clock.elsewhere = pass_in_redis
        yield store


@pytest.fixture(params=[*STORES, *REDIS])
async def store(request: pytest.FixtureRequest, clock: Clock, limits: StoreLimits) -> AsyncIterator[Store]:
    name = request.param
    make = partial(in_redis, request.getfixturevalue(REDIS[name])) if name in REDIS else STORES[name]
    async with make(clock, limits) as store:
        yield store
