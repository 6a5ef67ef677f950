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


class Reader:
    """One reader of a stream: it looks, and waits for news before it looks again.

    Args:
        waiters: the streams.
        channel: the stream's channel.
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
        """Waits for news if the stream is known to have nothing at the offset; returns its epoch if that is known."""
        stream = self._waiters.get(self._channel)
        if stream is None or stream.quiet is None:
            return None
        quiet = stream.quiet
        if not quiet.suits(start_offset, epoch, check, must_exist=must_exist):
            return None
        self._version = stream.version
        await self.wait(quiet.until)
        return quiet.epoch or None

    async def look(self, question: object, look: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Looks at the stream. Readers who were woken by the same news and ask the same question look once."""
        stream = self._waiters.get(self._channel)
        self._version = stream.version if stream else 0
        return await (stream.together(question, look) if stream and self._waited else look())

    def at_end(self, quiet: Quiet) -> None:
        """Notes the stream's end for other readers, unless there have been news since the look."""
        stream = self._waiters.get(self._channel)
        if stream and stream.version == self._version and self._version:
            stream.quiet = quiet

    async def wait(self, until: float) -> None:
        """Waits for news since the look, up to a time of the event loop or the reader's deadline."""
        timeout = min(self._deadline, until) - asyncio.get_running_loop().time()
        await self._waiters.wait(self._channel, self._version, timeout)
        self._waited = True


class Waiters:
    """The streams that readers in this process wait for.

    News only say that a stream has changed: a reader then looks at it. A lost connection may lose news, so a new
    connection wakes all readers, too.

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

    def reader(self, channel: str, deadline: float) -> Reader:
        """A reader of a stream, who waits until `deadline`, a time of the event loop."""
        return Reader(self, channel, deadline)

    def get(self, channel: str) -> StreamWaiters | None:
        """What is known of a stream's news; None while no reader waits for them."""
        return self._streams.get(channel)

    async def wait(self, channel: str, version: int, timeout: float) -> None:
        """Waits for news that `version` does not count, up to `timeout` seconds."""
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
