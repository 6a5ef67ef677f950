"""From a URL to a Redis that is set up to keep logs."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from redis.asyncio import ConnectionPool, Redis, RedisCluster
from redis.asyncio.connection import SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError, ResponseError

from ..errors import OpenStoreError
from .server import FORMAT, FORMAT_KEY, Server

_logger = logging.getLogger(__name__)

OLDEST_VERSION: Final = (7, 0)
"""The first with sharded pub/sub, and with scripts that say what they need."""

PARTS: Final = frozenset({"connection_class", "host", "port", "path", "db", "username", "password"})
OPTIONS: Final = frozenset({"client_name", "socket_connect_timeout", "socket_keepalive", "socket_timeout"})
TLS_OPTIONS: Final = frozenset({"ssl_ca_certs", "ssl_cert_reqs", "ssl_certfile", "ssl_check_hostname", "ssl_keyfile"})


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Server]:
    """Connects to the Redis that a URL names, for as long as the context lasts, and checks how it is set up.

    Raises:
        OpenStoreError: Redis cannot be reached, or is not set up to keep logs; the text says what to do.

    """
    cluster, arguments = read_url(url)
    place = arguments.get("path") or f"{arguments.get('host', 'localhost')}:{arguments.get('port', 6379)}"
    try:
        redis = _cluster(arguments) if cluster else Redis.from_pool(ConnectionPool(**arguments))
    except RedisClusterException as error:
        raise OpenStoreError(f"{place}: {error}") from None
    server = Server(redis)
    try:
        try:
            await _check(redis)
        except (RedisError, RedisClusterException) as error:
            raise OpenStoreError(f"Redis at {place} cannot be used: {error}") from error
        except OpenStoreError as error:
            raise OpenStoreError(f"Redis at {place} {error}") from None
        yield server
    finally:
        await server.aclose()


def read_url(url: str) -> tuple[bool, dict[str, Any]]:
    """Reads a URL; returns whether it names a cluster, and the arguments of redis-py's connections."""
    scheme, separator, rest = url.partition("://")
    scheme, _, cluster = scheme.partition("+")
    try:
        arguments: dict[str, Any] = dict(parse_url(f"{scheme}{separator}{rest}"))
    except ValueError as error:
        raise OpenStoreError(f"the store's URL cannot be read: {error}") from None
    options = OPTIONS | TLS_OPTIONS if arguments.get("connection_class") is SSLConnection else OPTIONS
    for name in sorted(arguments.keys() - PARTS - options):
        raise OpenStoreError(f"the store's URL has no option {name!r}; there are {', '.join(sorted(options))}")
    # Nothing is tried again unasked: an append whose answer was lost may be stored. RESP2, as in RESP3 what is pushed
    # goes through redis-py's own handlers.
    return bool(cluster), arguments | {"protocol": 2, "retry": Retry(NoBackoff(), 0)}


def _cluster(arguments: Mapping[str, Any]) -> RedisCluster:
    known = dict(arguments)
    tls = known.pop("connection_class", None) is SSLConnection
    return RedisCluster(**{"host": "localhost"} | known, ssl=tls)


async def _check(redis: Redis | RedisCluster) -> None:
    if isinstance(redis, RedisCluster):
        await redis.initialize()
        for node in redis.get_primaries():
            await _check_server(redis, cluster=True, target_nodes=node)
    else:
        await _check_server(redis, cluster=False)
    # Without channels an append would fail when it tells of itself, after it has stored.
    await redis.eval("redis.call('SPUBLISH', KEYS[1], '')", 1, "openresponses:{check}")
    await redis.set(FORMAT_KEY, FORMAT, nx=True)
    stored: Any = await redis.get(FORMAT_KEY)
    if stored != FORMAT.encode():
        raise OpenStoreError(
            f"has streams of format {stored.decode(errors='replace')}, and this version reads format {FORMAT}: use another database, or delete"
            f" them and the key {FORMAT_KEY}"
        )


async def _check_server(redis: Redis | RedisCluster, *, cluster: bool, **target: Any) -> None:
    if problem := server_problem(await redis.info(**target), cluster=cluster):
        raise OpenStoreError(problem)
    try:
        config = await redis.config_get("maxmemory", "maxmemory-policy", "appendonly", **target)
    except ResponseError as error:
        _logger.warning("Redis does not say how it is set up (%s): its maxmemory-policy must be noeviction", error)
        return
    if problem := memory_problem(config):
        raise OpenStoreError(problem)
    if config.get("appendonly") == "no":
        _logger.warning("Redis has appendonly no: what is acknowledged may be gone after it restarts")


def server_problem(info: Mapping[str, Any], *, cluster: bool) -> str | None:
    """Why a Redis cannot keep logs, by its INFO; `cluster` is whether the URL names a cluster."""
    version = str(info["redis_version"])
    if tuple(map(int, version.split(".")[:2])) < OLDEST_VERSION:
        return f"has version {version}; {'.'.join(map(str, OLDEST_VERSION))} or newer is needed"
    if info.get("cluster_enabled") and not cluster:
        return "is a node of a Redis Cluster: begin the URL with redis+cluster:// or rediss+cluster://"
    return None


def memory_problem(config: Mapping[Any, Any]) -> str | None:
    """Why a Redis would not keep what it has, by its CONFIG."""
    policy = config.get("maxmemory-policy", "noeviction")
    if int(config.get("maxmemory", 0)) and policy != "noeviction":
        return f"has maxmemory-policy {policy}, which drops events that are acknowledged: set it to noeviction"
    return None
