"""A TCP proxy that relays what comes, byte by byte, and breaks connections as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from typing import Final

_DATA: Final = 0
"""The type of the HTTP/2 frames that hold messages: from a server, acknowledgements and events."""


class Cut(StrEnum):
    """Where a connection breaks, seen from a message on its way from the server."""

    BEFORE = "before"
    WITHIN = "within"
    AFTER = "after"


class Proxy:
    """Relays connections at a port of its own to a server.

    Args:
        target: the server's port, of 127.0.0.1.
        cut: is asked for each message's frame from the server whether the connection breaks there.
        latency: seconds that a connection takes to be made.

    """

    def __init__(self, target: int, cut: Callable[[], Cut | None] = lambda: None, *, latency: float = 0.0) -> None:
        self._target = target
        self._cut = cut
        self._latency = latency
        self._connections: set[asyncio.Task[None]] = set()
        self._relaying = asyncio.Event()
        self._relaying.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Listens for as long as the context lasts; yields the address."""
        listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        host, port = listener.sockets[0].getsockname()
        try:
            yield f"{host}:{port}"
        finally:
            listener.close()
            connections = list(self._connections)
            for connection in connections:
                connection.cancel()
            await asyncio.gather(*connections, return_exceptions=True)

    def black_hole(self) -> None:
        """Relays nothing more on the connections that there are, and keeps them open; new ones are relayed."""
        self._relaying.clear()
        self._relaying = asyncio.Event()
        self._relaying.set()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._relay(reader, writer, self._relaying))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, relaying: asyncio.Event) -> None:
        try:
            await asyncio.sleep(self._latency)
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._target)
            try:
                ways = [
                    asyncio.create_task(self._requests(reader, to_server, relaying)),
                    asyncio.create_task(self._responses(from_server, writer, relaying)),
                ]
                try:
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for way in ways:
                        way.cancel()
                    await asyncio.gather(*ways, return_exceptions=True)
            finally:
                to_server.transport.abort()
            writer.close()  # once the client has what was written
        except OSError:
            writer.transport.abort()
        except asyncio.CancelledError:
            writer.transport.abort()
            raise

    async def _requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, relaying: asyncio.Event
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                await relaying.wait()
                writer.write(data)
                await writer.drain()

    async def _responses(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, relaying: asyncio.Event
    ) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readexactly(9)
                frame = head + await reader.readexactly(int.from_bytes(head[:3]))
                cut = self._cut() if head[3] == _DATA else None
                await relaying.wait()
                if cut is not Cut.BEFORE:
                    writer.write(frame if cut is not Cut.WITHIN else frame[: len(frame) // 2])
                    await writer.drain()
                if cut:
                    return
