"""Connections to Redis servers, opened with redis-py."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from redis.asyncio.connection import AbstractConnection, Connection

TIMEOUT_SECONDS: Final = 5.0
"""The default timeout for each reply of Redis; the URL's `socket_timeout` overrides it."""


class Node(NamedTuple):
    """The address of a Redis server: a host and a port, or the path of a Unix socket and 0."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if self.port else self.host


class Connector:
    """Connects to any node with the settings of one URL.

    redis-py gets no timeout for reads and writes. It would write within `asyncio.wait_for`, which in Python 3.11
    swallows a cancellation that arrives in the same iteration of the event loop as the result. Callers use
    `asyncio.timeout`.

    Args:
        arguments: the arguments for redis-py's connections.

    Attributes:
        node: the server in the URL.
        timeout: the timeout for each reply in seconds.

    """

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self._arguments = dict(arguments)
        self._class: type[AbstractConnection] = self._arguments.pop("connection_class", Connection)
        self.timeout: float = self._arguments.pop("socket_timeout", TIMEOUT_SECONDS)
        host, port = self._arguments.pop("host", "localhost"), self._arguments.pop("port", 6379)
        path = self._arguments.pop("path", None)
        self.node = Node(path, 0) if path else Node(host, port)

    async def connect(self, node: Node) -> AbstractConnection:
        """Connects to a node; raises redis-py's exceptions and TimeoutError."""
        address = {"host": node.host, "port": node.port} if node.port else {"path": node.host}
        connection = self._class(**self._arguments, **address, socket_timeout=None)
        try:
            async with asyncio.timeout(self.timeout):
                await connection.connect()  # type: ignore[no-untyped-call]
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return connection
