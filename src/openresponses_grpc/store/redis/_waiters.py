"""Readers that wait for streams to change, notified over one connection per Redis server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, NamedTuple, TypeVar

from .._interface import Check
from ._client import Endpoint
from ._listener import Listener

T = TypeVar("T")

SWEEP_SECONDS: Final = 10.0
"""How long a subscription without readers is kept, up to twice this time."""


class KnownEnd(NamedTuple):
    """The end of a stream, known until the next notification.

    Attributes:
        end: the end offset and the checksum there.
        epoch: the epoch of the stream; 0 if it does not exist yet.
        until: the time of the event loop at which the stream becomes abandoned.

    """

    end: Check
    epoch: int
    until: float

    def matches(self, start_offset: int, epoch: int | None, check: Check | None, *, must_exist: bool) -> bool:
        """Whether a reader can wait here without fetching the stream."""
        if must_exist and not self.epoch:
            return False
        return start_offset == self.end.offset and epoch in (None, self.epoch) and check in (None, self.end)


class StreamWaiters:
    """The waiting readers of one stream.

    Attributes:
        endpoint: the name of the Redis server with the stream.
        version: the number of notifications; 0 until the subscription is active.
        known_end: the end of the stream; None if it is unknown.
        waiting: the number of waiting readers.
        used: whether a reader has waited since the last sweep.
        changed: a future that completes with the next notification.

    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.version = 0
        self.known_end: KnownEnd | None = None
        self.waiting = 0
        self.used = True
        self.changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._fetches: dict[object, asyncio.Task[Any]] = {}

    def notify(self) -> None:
        """Wakes all waiting readers."""
        self.version += 1
        self.known_end = None
        self._fetches = {}
        self.changed.set_result(None)
        self.changed = asyncio.get_running_loop().create_future()

    async def fetch_once(self, key: object, fetch: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Fetches once for all readers with the same key after the same notification."""
        fetches = self._fetches
        task: asyncio.Task[T] | None = fetches.get(key)
        if task is None:
            task = fetches[key] = asyncio.create_task(fetch())
            task.add_done_callback(lambda done: (fetches.pop(key), done.cancelled() or done.exception()))
        return await asyncio.shield(task)


class Reader:
    """One reader of a stream, which waits for a notification between two fetches.

    Args:
        waiters: the waiting readers of all streams.
        channel: the channel of the stream.
        deadline: the time of the event loop until which it waits.

    """

    def __init__(self, waiters: Waiters, channel: str, deadline: float) -> None:
        self._waiters = waiters
        self._channel = channel
        self._deadline = deadline
        self._version = 0
        self._waited = False

    async def wait_at_end(
        self, start_offset: int, epoch: int | None, check: Check | None, *, must_exist: bool
    ) -> int | None:
        """Waits for a notification if the offset is the known end of the stream; returns the known epoch."""
        stream = self._waiters.get(self._channel)
        if stream is None or stream.known_end is None:
            return None
        known = stream.known_end
        if not known.matches(start_offset, epoch, check, must_exist=must_exist):
            return None
        self._version = stream.version
        await self.wait(known.until)
        return known.epoch or None

    async def fetch(self, key: object, fetch: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Fetches the stream. Readers with the same key that were woken by the same notification share one fetch."""
        stream = self._waiters.get(self._channel)
        self._version = stream.version if stream else 0
        return await (stream.fetch_once(key, fetch) if stream and self._waited else fetch())

    def note_end(self, known: KnownEnd) -> None:
        """Records the end of the stream for other readers, unless it was notified since the fetch."""
        stream = self._waiters.get(self._channel)
        if stream and stream.version == self._version and self._version:
            stream.known_end = known

    async def wait(self, until: float) -> None:
        """Waits for a notification since the fetch, up to a time of the event loop or the reader's deadline."""
        timeout = min(self._deadline, until) - asyncio.get_running_loop().time()
        await self._waiters.wait(self._channel, self._version, timeout)
        self._waited = True


class Waiters:
    """The waiting readers of all streams in this process.

    A notification only means that a stream has changed; its readers then fetch it. A lost connection may lose
    notifications, so a new connection wakes all readers, too.

    Args:
        endpoint: returns the Redis server with a channel.

    """

    def __init__(self, endpoint: Callable[[str], Endpoint]) -> None:
        self._endpoint = endpoint
        self._streams: dict[str, StreamWaiters] = {}
        self._listeners: dict[str, Listener] = {}
        self._sweeper = asyncio.create_task(self._sweep())

    async def aclose(self) -> None:
        """Closes all connections."""
        self._sweeper.cancel()
        with suppress(asyncio.CancelledError):
            await self._sweeper
        for listener in self._listeners.values():
            await listener.aclose()

    def reader(self, channel: str, deadline: float) -> Reader:
        """Returns a reader that waits until `deadline`, a time of the event loop."""
        return Reader(self, channel, deadline)

    def get(self, channel: str) -> StreamWaiters | None:
        """Returns the waiting readers of a stream; None without a subscription to its channel."""
        return self._streams.get(channel)

    async def wait(self, channel: str, version: int, timeout: float) -> None:
        """Waits up to `timeout` seconds for a notification later than `version`."""
        waiters = self._listen(channel)
        waiters.used = True
        if waiters.version != version:
            return
        waiters.waiting += 1
        try:
            await asyncio.wait((waiters.changed,), timeout=timeout)
        finally:
            waiters.waiting -= 1

    def _listen(self, channel: str) -> StreamWaiters:
        endpoint = self._endpoint(channel)
        waiters = self._streams.get(channel)
        if waiters is not None and waiters.endpoint != endpoint.name:
            self._listeners[waiters.endpoint].unsubscribe(channel)
            waiters.endpoint = endpoint.name
        elif waiters is None:
            waiters = self._streams[channel] = StreamWaiters(endpoint.name)
        listener = self._listeners.get(endpoint.name)
        if listener is None:
            listener = self._listeners[endpoint.name] = Listener(endpoint.connect, self._notify)
        listener.subscribe(channel)
        return waiters

    def _notify(self, channel: str) -> None:
        waiters = self._streams.get(channel)
        if waiters is not None:
            waiters.notify()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            for channel, waiters in list(self._streams.items()):
                if not (waiters.waiting or waiters.used):
                    del self._streams[channel]
                    self._listeners[waiters.endpoint].unsubscribe(channel)
                waiters.used = False
