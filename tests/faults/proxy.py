"""A TCP proxy that relays HTTP/2 frame by frame, and can break connections."""

from __future__ import annotations

import asyncio
import random
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from typing import Final

_PREFACE_BYTES: Final = 24
_HEAD_BYTES: Final = 9
_DATA: Final = 0
"""The type of HTTP/2 frames with messages: requests, acknowledgements and events."""

_LONGEST_DELAY: Final = 0.4
"""The maximum delay of a message, in seconds. Clients reconnect sooner or later than that."""


class Cut(StrEnum):
    """Where a connection breaks, relative to a message."""

    BEFORE = "before"
    """Before a message from the server."""
    WITHIN = "within"
    """In the middle of a message from the server."""
    AFTER = "after"
    """After a message from the server."""
    LATE = "late"
    """Before a message to the server, which arrives late: after the client was disconnected, or even reconnected."""


REPLIES: Final = (Cut.BEFORE, Cut.WITHIN, Cut.AFTER)
"""The cuts at a message from the server."""

REQUESTS: Final = (Cut.LATE,)
"""The cuts at a message to the server."""

Draw = Callable[[tuple[Cut, ...]], Cut | None]


class Proxy:
    """Listens on its own port and relays connections to a server.

    Args:
        target: the port of the server on 127.0.0.1.
        draw: gets the possible cuts at a message; returns one of them, or None.
        latency: seconds before a connection to the server is opened.

    """

    def __init__(self, target: int, draw: Draw = lambda _: None, *, latency: float = 0.0) -> None:
        self._target = target
        self._draw = draw
        self._latency = latency
        self._connections: set[asyncio.Task[None]] = set()
        self._relaying = asyncio.Event()
        self._relaying.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Listens until the context ends; yields the address."""
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
        """Stops relaying on the open connections and keeps them open; new connections are relayed."""
        self._relaying.clear()
        self._relaying = asyncio.Event()
        self._relaying.set()

    def cut(self) -> None:
        """Breaks all open connections."""
        for connection in self._connections:
            connection.cancel()

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        connection = asyncio.create_task(self._connect(reader, writer, self._relaying))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _connect(self, reader: StreamReader, writer: StreamWriter, relaying: asyncio.Event) -> None:
        try:
            await asyncio.sleep(self._latency)
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._target)
            try:
                await _Connection(self._draw, relaying, writer, to_server).relay(reader, from_server)
            finally:
                to_server.transport.abort()
            writer.close()  # after the client has received everything written
        except OSError:
            writer.transport.abort()
        except asyncio.CancelledError:
            writer.transport.abort()
            raise


class _Connection:
    """The two directions of a connection; it ends when either ends."""

    def __init__(self, draw: Draw, relaying: asyncio.Event, to_client: StreamWriter, to_server: StreamWriter) -> None:
        self._draw = draw
        self._relaying = relaying
        self._to_client = to_client
        self._to_server = to_server
        self._late = False  # the client is disconnected, and its last message was sent to the server

    async def relay(self, from_client: StreamReader, from_server: StreamReader) -> None:
        directions = [asyncio.create_task(self._requests(from_client)), asyncio.create_task(self._replies(from_server))]
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)

    async def _requests(self, reader: StreamReader) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await self._pass(await reader.readexactly(_PREFACE_BYTES), self._to_server)
            while True:
                frame = await _frame(reader)
                if frame[3] == _DATA and self._draw(REQUESTS):
                    self._to_client.transport.abort()
                    await asyncio.sleep(random.uniform(0, _LONGEST_DELAY))
                    await self._pass(frame, self._to_server)
                    self._late = True
                    await asyncio.sleep(_LONGEST_DELAY)  # a reply of the server ends the connection earlier
                    return
                await self._pass(frame, self._to_server)

    async def _replies(self, reader: StreamReader) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                frame = await _frame(reader)
                if self._to_client.transport.is_closing():
                    if self._late and frame[3] == _DATA:
                        return
                    continue
                cut = self._draw(REPLIES) if frame[3] == _DATA else None
                if cut is not Cut.BEFORE:
                    await self._pass(frame if cut is not Cut.WITHIN else frame[: len(frame) // 2], self._to_client)
                if cut:
                    return

    async def _pass(self, data: bytes, writer: StreamWriter) -> None:
        await self._relaying.wait()
        writer.write(data)
        await writer.drain()


async def _frame(reader: StreamReader) -> bytes:
    head = await reader.readexactly(_HEAD_BYTES)
    return head + await reader.readexactly(int.from_bytes(head[:3]))
