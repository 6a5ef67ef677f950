"""The asyncio subscription."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, Self, TypeVar

import grpc

from ..position import Position
from . import _rpc as rpc
from ._channel import ChannelPool
from ._cursor import Cursor
from ._recovery import Recovery

E_co = TypeVar("E_co", covariant=True)


class AsyncEventSubscription(Generic[E_co]):
    """An async iterator over the events of a stream. Create it with `AsyncEventStreamClient.subscribe`.

    If you stop before the end of the stream, close the subscription: use it as an async context manager, or call
    `aclose`. Timeouts lose no events: if `asyncio.wait_for(anext(subscription), 5)` times out, the next `anext` returns
    the event.

    Iteration raises StreamFailedError after the last event of a stream that ended in failure, and StreamError if the
    stream can no longer be read: it was not found, is abandoned, has expired or has diverged.
    """

    def __init__(
        self, channels: ChannelPool[grpc.aio.Channel], cursor: Cursor, convert: Callable[[bytes], E_co]
    ) -> None:
        self._cursor = cursor
        self._events = cursor.events
        self._convert = convert
        self._calls = _Calls(channels, cursor)
        self._reading: asyncio.Task[Exception | None] | None = None  # survives a cancelled `anext`
        self._error: Exception | None = None
        self._closed = False

    @property
    def position(self) -> Position | None:
        """The position to resume at: after the last event returned. None until the server has sent the epoch."""
        return self._cursor.position

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> E_co:
        while not self._events:
            await self._read()
        return self._convert(self._events.popleft())

    async def batch(self) -> list[E_co]:
        """Returns all events that are ready, and waits for at least one. Empty at the end of a complete stream.

        `position` moves past the last of them. As with iteration, timeouts lose no events.

        Raises:
            StreamError: as for iteration.

        """
        try:
            while not self._events:
                await self._read()
        except StopAsyncIteration:
            return []
        batch = [self._convert(event) for event in self._events]
        self._events.clear()
        return batch

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the subscription."""
        self._closed = True
        self._events = deque()  # the cursor keeps its events, so that the position stays before them
        self._calls.stop(self._reading)
        if self._reading:
            await asyncio.wait((self._reading,))

    def __del__(self) -> None:
        loop = self._calls.loop
        if loop and not loop.is_closed():  # the garbage collector may run in another thread
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._calls.stop, self._reading)

    async def _read(self) -> None:
        """Waits for the next response. Raises at the end of the stream and on errors."""
        if self._closed:
            raise RuntimeError("the subscription is closed: subscribe again at its position")
        if self._error:
            raise self._error
        if self._cursor.end_of_stream:
            await self._calls.finish()
            raise self._cursor.failure() or StopAsyncIteration
        if self._reading is None:
            self._reading = self._calls.start()
        reading = self._reading
        await asyncio.wait((reading,))
        if self._reading is reading and not self._closed:
            self._reading = None
            self._error = reading.result()


class _Calls:
    """The successive calls of a subscription.

    They hold no reference to the subscription, so that it can be garbage collected while a call waits.

    Attributes:
        loop: event loop of the first call; None before that call.

    """

    def __init__(self, channels: ChannelPool[grpc.aio.Channel], cursor: Cursor) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self._channels = channels
        self._cursor = cursor
        self._recovery = Recovery(wait_for_ready=channels.wait_for_ready, fail_fast=channels.fail_fast)
        self._channel: grpc.aio.Channel | None = None
        self._call: Any = None
        self._stopped = False

    def start(self) -> asyncio.Task[Exception | None]:
        """Starts a task that reads; raises RuntimeError if the client is closed or bound elsewhere."""
        self._channels.check()
        self.loop = asyncio.get_running_loop()
        return self.loop.create_task(self._read())

    async def _read(self) -> Exception | None:
        """Waits for events or the end of the stream. Returns the error if it is not retryable."""
        try:
            while not (self._cursor.events or self._cursor.end_of_stream or self._stopped):
                await self._read_response()
        except asyncio.CancelledError:
            self.close()
            if not self._channels.closed:
                raise
            return self._channels.closed_error()  # closing the client cancels its calls
        except Exception as error:
            self.close()
            return error
        return None

    async def _read_response(self) -> None:
        error = None
        try:
            response = await (self._call or self._open()).read()
            if response is not grpc.aio.EOF:
                self._recovery.record_reply(progress=True)
                self._cursor.advance(response)
                return
        except grpc.aio.AioRpcError as rpc_error:
            error = self._channels.error(rpc_error, self._cursor.stream_id, self._cursor.next_offset)
        self.close()
        if not self._stopped:
            await asyncio.sleep(self._recovery.next_delay(error))

    def _open(self) -> Any:
        self._channel = self._channels.acquire()
        self._call = rpc.subscribe(self._channel)(
            self._cursor.request(), metadata=self._channels.metadata, wait_for_ready=self._recovery.connected
        )
        return self._call

    async def finish(self) -> None:
        """Waits for the status of the call after the end of the stream.

        The server may still be sending the last response, and would record the call as cancelled if `close` came first.
        """
        if self._call:
            await self._call.code()
        self.close()

    def stop(self, reading: asyncio.Task[Exception | None] | None) -> None:
        """Ends the task that reads, if any, and the current call.

        The end of the call ends its read. gRPC would leak a message that arrives for a cancelled read.
        """
        self._stopped = True
        if reading and not self._call:
            reading.cancel()
        self.close()

    def close(self) -> None:
        """Cancels the current call, if any."""
        if self._channel is not None:
            self._call.cancel()
            self._channels.release(self._channel)
            self._call = self._channel = None
