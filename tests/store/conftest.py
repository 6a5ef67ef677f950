"""Fixtures of the store tests. Redis servers are flushed before each test."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from openresponses_grpc.store.redis import RedisStore, open_redis

from ..support.redis_server import RedisServer, emptied, running, running_cluster
from .every_store.conftest import Clock
from .redis.streams import LIMITS


@pytest.fixture(scope="session")
def redis_server(
    tmp_path_factory: pytest.TempPathFactory, unused_tcp_port_factory: Callable[[], int]
) -> Iterator[RedisServer]:
    """A single Redis server."""
    with running(RedisServer(tmp_path_factory.mktemp("redis"), unused_tcp_port_factory())) as server:
        yield server


@pytest.fixture(scope="session")
def redis_cluster(
    tmp_path_factory: pytest.TempPathFactory, unused_tcp_port_factory: Callable[[], int]
) -> Iterator[list[RedisServer]]:
    """A Redis Cluster of three servers."""
    port = unused_tcp_port_factory
    servers = [
        RedisServer(tmp_path_factory.mktemp("redis"), port(), "--cluster-enabled", "yes", "--cluster-port", str(port()))
        for _ in range(3)
    ]
    with running_cluster(servers):
        yield servers


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    return redis_server.url


@pytest.fixture
def redis_cluster_url(redis_cluster: list[RedisServer]) -> str:
    return redis_cluster[0].url.replace("redis:", "redis+cluster:")


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Any]:
    """A client of the flushed server."""
    async with emptied(redis_url) as redis:
        yield redis


@pytest.fixture
async def store(redis: Redis, redis_url: str) -> AsyncIterator[RedisStore]:
    async with open_redis(redis_url, LIMITS) as store:
        yield store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The path of an SQLite store."""
    return tmp_path / "store.db"


@pytest.fixture
def clock() -> Clock:
    return Clock()
