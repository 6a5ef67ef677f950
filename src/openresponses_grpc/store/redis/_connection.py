"""Connections to the servers of a Redis, made by redis-py."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from redis.asyncio.connection import AbstractConnection, Connection

TIMEOUT_SECONDS: Final = 5.0
"""How long Redis may take to send the next reply, unless the URL has a `socket_timeout`."""


class Node(NamedTuple):
    """The address of a server: a host and its port, or the path of a Unix socket and 0."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if self.port else self.host


class Connector:
    """Connects to any node with the settings of one URL.

    redis-py gets no timeout for reading and writing. It would write within `asyncio.wait_for`, which in Python 3.11
    swallows a cancellation that comes in the same turn of the event loop as the result. Callers use `asyncio.timeout`.

    Args:
        arguments: those of redis-py's connections.

    Attributes:
        node: the server that the URL names.
        timeout: seconds that Redis may take to send the next reply.

    """

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self._arguments = dict(arguments)
        self._class: type[AbstractConnection] = self._arguments.pop("connection_class", Connection)
        self.timeout: float = self._arguments.pop("socket_timeout", TIMEOUT_SECONDS)
        host, port = self._arguments.pop("host", "localhost"), self._arguments.pop("port", 6379)
        path = self._arguments.pop("path", None)
        self.node = Node(path, 0) if path else Node(host, port)

    async def connect(self, node: Node) -> AbstractConnection:
        """A connection to a node; raises what redis-py does, and TimeoutError."""
        place = {"host": node.host, "port": node.port} if node.port else {"path": node.host}
        connection = self._class(**self._arguments, **place, socket_timeout=None)
        try:
            async with asyncio.timeout(self.timeout):
                await connection.connect()  # type: ignore[no-untyped-call]
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return connection
