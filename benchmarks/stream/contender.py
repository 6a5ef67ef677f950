"""The interface of the contenders: a server and a client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

Send = Callable[[Any], Awaitable[None]]


class Client(Protocol):
    """A publisher or subscriber that handles one event at a time, as a program would."""

    def publishing(self, stream_id: str) -> AbstractAsyncContextManager[Send]:
        """Opens a stream and yields a function that sends an event. On exit, the server has the complete stream."""

    def subscribe(self, stream_id: str) -> AsyncIterator[Any]:
        """Yields a stream's events, up to its end."""


class Contender(Protocol):
    """A server and its client. The server keeps a log of each stream, so that subscribers can connect later."""

    def serve(self) -> AbstractAsyncContextManager[str]:
        """Serves on a free port of 127.0.0.1, and yields the address."""

    def connect(self, address: str) -> AbstractAsyncContextManager[Client]:
        """Connects a client to the server at an address."""

    def events(self, count: int) -> list[Any]:
        """Returns events in the form in which a program would publish them."""


class Log:
    """The log of a stream in the simple servers: a list, and an event that is set when the list grows."""

    def __init__(self) -> None:
        self._entries: list[bytes] = []
        self._ended = False
        self._grown = asyncio.Event()

    def append(self, entry: bytes) -> None:
        self._entries.append(entry)
        self._wake()

    def end(self) -> None:
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()

    async def read(self) -> AsyncIterator[bytes]:
        """Yields each entry as it arrives."""
        offset = 0
        while True:
            while offset < len(self._entries):
                yield self._entries[offset]
                offset += 1
            if self._ended:
                return
            await self._grown.wait()
