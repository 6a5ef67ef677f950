"""What the benchmarks ask of every way to stream events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

Send = Callable[[Any], Awaitable[None]]


class Client(Protocol):
    """A publisher's or a subscriber's side, as a program uses it: one event at a time."""

    def publishing(self, stream_id: str) -> AbstractAsyncContextManager[Send]:
        """Opens a stream; what it yields sends an event. After it the stream has ended, all with the server."""

    def subscribe(self, stream_id: str) -> AsyncIterator[Any]:
        """Yields a stream's events to its end."""


class Contender(Protocol):
    """A server and its client. The server keeps a stream's events as a log, so that subscribers may be late."""

    def serve(self) -> AbstractAsyncContextManager[str]:
        """Serves on a free port of 127.0.0.1, and yields the address."""

    def connect(self, address: str) -> AbstractAsyncContextManager[Client]:
        """A client of the server at an address."""

    def events(self, count: int) -> list[Any]:
        """The events, as a program has them before it publishes them."""


class Log:
    """A stream as the simple servers keep it: a list, and a bell that rings when it has grown."""

    def __init__(self) -> None:
        self._entries: list[bytes] = []
        self._ended = False
        self._grown = asyncio.Event()

    def append(self, entry: bytes) -> None:
        self._entries.append(entry)
        self._ring()

    def end(self) -> None:
        self._ended = True
        self._ring()

    def _ring(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()

    async def read(self) -> AsyncIterator[bytes]:
        """Yields each entry as it comes."""
        offset = 0
        while True:
            while offset < len(self._entries):
                yield self._entries[offset]
                offset += 1
            if self._ended:
                return
            await self._grown.wait()
