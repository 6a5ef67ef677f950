"""Connects to the Redis of a URL, and checks its configuration."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from redis.asyncio.connection import SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from .._errors import OpenStoreError, StoreUnavailableError
from ._client import FORMAT, FORMAT_KEY, RedisClient
from ._connection import Connector
from ._setup import memory_problem, node_info, server_problem

_logger = logging.getLogger(__package__)

PARTS: Final = frozenset({"connection_class", "host", "port", "path", "db", "username", "password"})
OPTIONS: Final = frozenset({"client_name", "socket_connect_timeout", "socket_keepalive", "socket_timeout"})
TLS_OPTIONS: Final = frozenset({"ssl_ca_certs", "ssl_cert_reqs", "ssl_certfile", "ssl_check_hostname", "ssl_keyfile"})


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[RedisClient]:
    """Connects to the Redis of a URL while the context is open, and checks its configuration.

    Raises:
        OpenStoreError: Redis is unreachable or unsuitable; the text says what to do.

    """
    cluster, arguments = read_url(url)
    connector = Connector(arguments)
    client = RedisClient(connector, cluster=cluster)
    try:
        try:
            await _check(client)
        except (ResponseError, StoreUnavailableError) as error:
            raise OpenStoreError(f"Redis at {connector.node} cannot be used: {error}") from error
        except OpenStoreError as error:
            raise OpenStoreError(f"Redis at {connector.node} {error}") from None
        yield client
    finally:
        await client.aclose()


def read_url(url: str) -> tuple[bool, dict[str, Any]]:
    """Parses a URL; returns whether it names a cluster, and the arguments for redis-py's connections."""
    scheme, separator, rest = url.partition("://")
    scheme, _, cluster = scheme.partition("+")
    try:
        arguments: dict[str, Any] = dict(parse_url(f"{scheme}{separator}{rest}"))
    except ValueError as error:
        raise OpenStoreError(f"invalid store URL: {error}") from None
    options = OPTIONS | TLS_OPTIONS if arguments.get("connection_class") is SSLConnection else OPTIONS
    for name in sorted(arguments.keys() - PARTS - options):
        raise OpenStoreError(f"unknown option {name!r} in the store URL; the options are {', '.join(sorted(options))}")
    if cluster and (arguments.get("db") or "path" in arguments):
        raise OpenStoreError("a Redis Cluster has one database and no Unix socket: use redis+cluster://HOST:PORT")
    # redis-py must not retry: an append whose reply is lost may be stored. RESP2, because redis-py passes the push
    # messages of RESP3 to its own handlers.
    return bool(cluster), arguments | {"protocol": 2, "retry": Retry(NoBackoff(), 0)}


async def _check(client: RedisClient) -> None:
    if client.topology:
        await client.topology.load()
    for node in client.nodes().values():
        info = await node_info(client, node)
        if problem := server_problem(info, cluster=bool(client.topology)) or memory_problem(info):
            raise OpenStoreError(problem)
        if "maxmemory_policy" not in info:
            _logger.warning("Redis does not report its maxmemory-policy, which must be noeviction")
        if info.get("aof_enabled") == "0":
            _logger.warning("Redis has appendonly no: acknowledged events may be lost when it restarts")
    # Without access to channels, an append would fail at its notification, after storing the events.
    channel = "openresponses:{check}"
    await client.command(channel, "EVAL", "redis.call('SPUBLISH', KEYS[1], '')", 1, channel)
    await client.command(FORMAT_KEY, "SET", FORMAT_KEY, FORMAT, "NX")
    stored: bytes = await client.command(FORMAT_KEY, "GET", FORMAT_KEY)
    if stored != FORMAT.encode():
        raise OpenStoreError(
            f"has streams of format {stored.decode(errors='replace')}, and this version requires format {FORMAT}:"
            f" use another database, or delete the streams and the key {FORMAT_KEY}"
        )
