"""The Redis servers that the tests share: each test has them for itself, and empties them first."""

from collections.abc import Callable, Iterator

import pytest

from .redis_server import RedisServer, running, running_cluster


@pytest.fixture(scope="session")
def redis_server(
    tmp_path_factory: pytest.TempPathFactory, unused_tcp_port_factory: Callable[[], int]
) -> Iterator[RedisServer]:
    """One server."""
    options = ("--appendonly", "yes", "--appendfsync", "always")
    with running(RedisServer(tmp_path_factory.mktemp("redis"), unused_tcp_port_factory(), *options)) as server:
        yield server


@pytest.fixture(scope="session")
def redis_cluster(
    tmp_path_factory: pytest.TempPathFactory, unused_tcp_port_factory: Callable[[], int]
) -> Iterator[list[RedisServer]]:
    """A cluster of three servers."""
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
