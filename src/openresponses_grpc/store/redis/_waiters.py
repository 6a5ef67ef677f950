"""Who waits for news of which stream, and who tells them: one connection to a Redis server, however many wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, NamedTuple, TypeVar

from .._interface import Check
from ._client import Home
from ._listener import Listener

T = TypeVar("T")

SWEEP_SECONDS: Final = 10.0
"""How long, up to twice, a stream's news are still listened to when nobody waits for them any more."""


class Quiet(NamedTuple):
    """The end of a stream, where there is nothing to read before the next news.

    Attributes:
        end: the offset, and the checksum there.
        epoch: the stream's epoch; 0 where there is no stream yet.
        until: the time of the event loop at which the stream will be abandoned.

    """

    end: Check
    epoch: int
    until: float

    def suits(self, start_offset: int, epoch: int | None, check: Check | None, *, must_exist: bool) -> bool:
        """Whether a reader can wait here without a look at the stream."""
        if must_exist and not self.epoch:
            return False
        return start_offset == self.end.offset and epoch in (None, self.epoch) and check in (None, self.end)


class StreamWaiters:
    """What is known of the news of one stream.

    Attributes:
        version: counts the news; 0 until they are listened to.
        quiet: the stream's end, while nothing can be read there; None while that is not known.

    """

    def __init__(self, home: str) -> None:
        self.home = home
        self.version = 0
        self.quiet: Quiet | None = None
        self.waiting = 0
        self.used = True
        self.news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._looks: dict[object, asyncio.Task[Any]] = {}

    def tell(self) -> None:
        """Wakes all who wait."""
        self.version += 1
        self.quiet = None
        self._looks = {}
        self.news.set_result(None)
        self.news = asyncio.get_running_loop().create_future()

    async def together(self, question: object, look: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Looks once for all who ask the same question after the same news."""
        looks = self._looks
        task: asyncio.Task[T] | None = looks.get(question)
        if task is None:
            task = looks[question] = asyncio.create_task(look())
            task.add_done_callback(lambda done: (looks.pop(question), done.cancelled() or done.exception()))
        return await asyncio.shield(task)


class Waiters:
    """The streams that somebody in this process waits for.

    News only say that something has changed: who hears them reads the stream. They may be lost with a connection, so
    that everybody is woken when one is made anew, too.

    Args:
        home: the server that has a channel.

    """

    def __init__(self, home: Callable[[str], Home]) -> None:
        self._home = home
        self._streams: dict[str, StreamWaiters] = {}
        self._listeners: dict[str, Listener] = {}
        self._sweeper = asyncio.create_task(self._sweep())

    async def aclose(self) -> None:
        """Ends all connections."""
        self._sweeper.cancel()
        with suppress(asyncio.CancelledError):
            await self._sweeper
        for listener in self._listeners.values():
            await listener.aclose()

    def get(self, channel: str) -> StreamWaiters | None:
        """What is known of a stream's news; None while nobody waits for them."""
        return self._streams.get(channel)

    async def wait(self, channel: str, version: int, timeout: float) -> None:
        """Waits until there are news that `version` does not count, up to `timeout` seconds."""
        waiters = self._listen(channel)
        waiters.used = True
        if waiters.version != version:
            return
        waiters.waiting += 1
        try:
            await asyncio.wait((waiters.news,), timeout=timeout)
        finally:
            waiters.waiting -= 1

    def _listen(self, channel: str) -> StreamWaiters:
        home = self._home(channel)
        waiters = self._streams.get(channel)
        if waiters is not None and waiters.home != home.name:
            self._listeners[waiters.home].unsubscribe(channel)
            waiters.home = home.name
        elif waiters is None:
            waiters = self._streams[channel] = StreamWaiters(home.name)
        listener = self._listeners.get(home.name)
        if listener is None:
            listener = self._listeners[home.name] = Listener(home.connect, self._tell)
        listener.subscribe(channel)
        return waiters

    def _tell(self, channel: str) -> None:
        waiters = self._streams.get(channel)
        if waiters is not None:
            waiters.tell()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            for channel, waiters in list(self._streams.items()):
                if not (waiters.waiting or waiters.used):
                    del self._streams[channel]
                    self._listeners[waiters.home].unsubscribe(channel)
                waiters.used = False
