"""A TCP proxy that holds the requests of a client, and delivers them after the client is gone."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

_PREFACE_BYTES: Final = 24
_HEAD_BYTES: Final = 9
_DATA, _HEADERS, _END_STREAM = 0, 1, 1


class HoldingProxy:
    """Relays connections to a server. The connection to the server outlives that of the client.

    Args:
        target: the address of the server, on 127.0.0.1.

    """

    def __init__(self, target: str) -> None:
        self._port = int(target.rpartition(":")[2])
        self._delivering = asyncio.Event()
        self._delivering.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._clients: list[StreamWriter] = []
        self._servers: list[StreamWriter] = []
        self._held = 0  # requests
        self._messages = 0  # from the server
        self._ended = False  # a call has ended
        self._heard = asyncio.Condition()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Listens during the context; yields the address."""
        listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        host, port = listener.sockets[0].getsockname()
        try:
            yield f"{host}:{port}"
        finally:
            listener.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for writer in self._clients + self._servers:
                writer.transport.abort()

    def hold(self) -> None:
        """Holds all further requests of clients."""
        self._delivering.clear()

    async def kill(self, requests: int) -> None:
        """Drops the connections of clients as if they were killed, as soon as this many requests are held."""
        async with self._heard:
            await self._heard.wait_for(lambda: self._held == requests)
        for client in self._clients:
            client.transport.abort()

    async def release(self) -> None:
        """Delivers the held requests; returns when the server has replied to each one or ended the call."""
        expected = self._messages + self._held
        self._delivering.set()
        async with self._heard:
            await self._heard.wait_for(lambda: self._ended or self._messages >= expected)

    async def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._clients.append(writer)
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._port)
        self._servers.append(to_server)
        for relay in (self._requests(reader, to_server), self._replies(from_server, writer)):
            task = asyncio.create_task(relay)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _requests(self, reader: StreamReader, writer: StreamWriter) -> None:
        held = await reader.readexactly(_PREFACE_BYTES)
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                if self._delivering.is_set():
                    writer.write(held)
                    held = b""
                frame = await _frame(reader)
                held += frame
                if not self._delivering.is_set() and frame[3] == _DATA:
                    async with self._heard:
                        self._held += 1
                        self._heard.notify_all()
        await self._delivering.wait()
        writer.write(held)
        await asyncio.Event().wait()  # the server does not learn that the client is gone

    async def _replies(self, reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                frame = await _frame(reader)
                if not writer.transport.is_closing():
                    writer.write(frame)
                async with self._heard:
                    self._messages += frame[3] == _DATA
                    self._ended = self._ended or (frame[3] == _HEADERS and bool(frame[4] & _END_STREAM))
                    self._heard.notify_all()


async def _frame(reader: StreamReader) -> bytes:
    head = await reader.readexactly(_HEAD_BYTES)
    return head + await reader.readexactly(int.from_bytes(head[:3]))
