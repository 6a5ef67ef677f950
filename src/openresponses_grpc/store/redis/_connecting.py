"""From a URL to a Redis that is set up to keep logs."""

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
from ._client import FORMAT, FORMAT_KEY, Server
from ._connection import Connector
from ._setup import memory_problem, node_info, server_problem

_logger = logging.getLogger(__package__)

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
    connector = Connector(arguments)
    server = Server(connector, cluster=cluster)
    try:
        try:
            await _check(server)
        except (ResponseError, StoreUnavailableError) as error:
            raise OpenStoreError(f"Redis at {connector.node} cannot be used: {error}") from error
        except OpenStoreError as error:
            raise OpenStoreError(f"Redis at {connector.node} {error}") from None
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
    if cluster and (arguments.get("db") or "path" in arguments):
        raise OpenStoreError(
            "a Redis Cluster has one database, and no Unix socket: the URL is redis+cluster://HOST:PORT"
        )
    # Nothing is tried again unasked: an append whose answer was lost may be stored. RESP2, as in RESP3 what is pushed
    # goes through redis-py's own handlers.
    return bool(cluster), arguments | {"protocol": 2, "retry": Retry(NoBackoff(), 0)}


async def _check(server: Server) -> None:
    if server.topology:
        await server.topology.load()
    for node in server.nodes().values():
        info = await node_info(server, node)
        if problem := server_problem(info, cluster=bool(server.topology)) or memory_problem(info):
            raise OpenStoreError(problem)
        if "maxmemory_policy" not in info:
            _logger.warning("Redis does not say how it is set up: its maxmemory-policy must be noeviction")
        if info.get("aof_enabled") == "0":
            _logger.warning("Redis has appendonly no: what is acknowledged may be gone after it restarts")
    # Without channels an append would fail when it tells of itself, after it has stored.
    channel = "openresponses:{check}"
    await server.command(channel, "EVAL", "redis.call('SPUBLISH', KEYS[1], '')", 1, channel)
    await server.command(FORMAT_KEY, "SET", FORMAT_KEY, FORMAT, "NX")
    stored: bytes = await server.command(FORMAT_KEY, "GET", FORMAT_KEY)
    if stored != FORMAT.encode():
        raise OpenStoreError(
            f"has streams of format {stored.decode(errors='replace')}, and this version reads format {FORMAT}:"
            f" use another database, or delete them and the key {FORMAT_KEY}"
        )
