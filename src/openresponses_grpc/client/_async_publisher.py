"""The publisher for asyncio."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Final, Self

import grpc

from openresponses_grpc.v1.stream_service_pb2 import PublishResponse, StreamFailure

from ..position import Position
from . import _rpc as rpc
from ._channel import ChannelPool
from ._outbox import Outbox
from ._outgoing import Sendable, serialize, stream_failure
from ._recovery import Recovery

_TURN_BYTES: Final = 64 << 10
"""Bytes of events after which `send` yields to the sending task, even if the program never waits for anything."""


class AsyncEventPublisher:
    """Sends events to one stream; made by `AsyncEventStreamClient.publish`, used as an async context manager.

    It is open once it has claimed the stream. A later publisher that claims the stream fences it: the next `send`,
    `flush` or exit raises StreamError with the reason PUBLISHER_FENCED.
    """

    def __init__(self, channels: ChannelPool[grpc.aio.Channel], stream_id: str) -> None:
        self._channels = channels
        self._stream_id = stream_id
        self._outbox = Outbox(stream_id, channels.server)
        self._recovery = Recovery(wait_for_ready=channels.wait_for_ready)
        self._work = asyncio.Event()  # there may be something to send
        self._changed = asyncio.Event()  # the outbox has changed, or will no more
        self._task: asyncio.Task[None] | None = None
        self._gathered = 0  # bytes since `send` let others have a turn

    @property
    def position(self) -> Position:
        """The end of the stream as of the last acknowledgement; when it opens, where the stream ends."""
        if self._outbox.position is None:
            raise RuntimeError("a publisher is used with 'async with'")
        return self._outbox.position

    @property
    def end_of_stream(self) -> bool:
        """Whether the stream has ended."""
        return self._outbox.end_of_stream

    @property
    def failure(self) -> StreamFailure | None:
        """Why the stream has ended, if it ended in failure."""
        return self._outbox.failure

    async def __aenter__(self) -> Self:
        if self._task is not None:
            raise RuntimeError("a publisher is opened once: make another one")
        self._channels.check()
        self._task = asyncio.create_task(self._run())
        try:
            while self._outbox.position is None:
                await self._change()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._task is not None
        try:
            if kind is None:
                self._outbox.finish()
                if self._outbox.finishing:
                    await self._finished()
        finally:
            await self._stop()

    async def send(self, event: Sendable) -> None:
        """Takes an event to be sent, once there is room for it: it waits while too much is unacknowledged.

        Where it is cancelled, or times out, the event is not taken.

        Raises:
            StreamError: the stream has ended, or cannot be published any further.
            InvalidProtobufError: the bytes are not a serialized event.
            IncompleteEventError: no event is set, or it is too large.

        """
        self._check()
        data = serialize(event)
        if self._gathered >= _TURN_BYTES or self._outbox.full:
            await self._turn()
        self._outbox.add(data)
        self._gathered += len(data)
        self._work.set()

    async def flush(self) -> None:
        """Waits until everything sent is stored; raises StreamError if the stream cannot be published any further."""
        self._check()
        while not self._outbox.empty:
            await self._change()

    async def fail(self, reason: str, message: str = "") -> None:
        """Ends the stream in failure after the events sent so far; returns when that is stored.

        Subscribers get the events, and then StreamFailedError. The publisher is done then.

        Args:
            reason: the case, for programs, such as `UPSTREAM_TIMEOUT`: 1 to 64 bytes of UTF-8.
            message: an explanation for people, up to 4,096 bytes of UTF-8.

        Raises:
            ValueError: `reason` or `message` is too long, or `reason` is empty.
            StreamError: the stream cannot be published any further, or has ended in another way.

        """
        failure = stream_failure(reason, message)
        self._check()
        self._outbox.fail(failure)
        await self._finished()

    async def _turn(self) -> None:
        """Lets the sending task run, and waits for room."""
        self._gathered = 0
        await asyncio.sleep(0)
        while self._outbox.full:
            await self._change()
        self._check()

    async def _finished(self) -> None:
        self._work.set()
        assert self._task is not None
        await asyncio.wait((self._task,))
        self._task.result()

    async def _stop(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
        if self._task and self._task.done():
            self._task.result()

    def _check(self) -> None:
        if self._task is None:
            raise RuntimeError("a publisher is used with 'async with'")
        if self._task.done() or self._outbox.finishing:
            if self._task.done() and not self._task.cancelled():
                self._task.result()
            raise RuntimeError("the publisher is closed: open another one")
        self._channels.check()

    async def _run(self) -> None:
        """Calls until everything is stored."""
        try:
            while True:
                error = None
                try:
                    await self._call()
                except grpc.aio.AioRpcError as rpc_error:
                    position = self._outbox.position
                    error = self._channels.error(rpc_error, self._stream_id, position.offset if position else None)
                if error is None and self._outbox.finishing and self._outbox.stored:
                    return
                await asyncio.sleep(self._recovery.pause(error))
        except asyncio.CancelledError:
            if self._channels.closed:  # which cancels its calls
                raise self._channels.closed_error() from None
            raise
        finally:
            self._changed.set()

    async def _call(self) -> None:
        channel = self._channels.acquire()
        call: Any = rpc.publish(channel)(metadata=self._channels.metadata, wait_for_ready=self._recovery.connected)
        self._outbox.restart()
        sender = asyncio.create_task(self._send(call))
        try:
            while isinstance(response := await call.read(), PublishResponse):
                self._recovery.answered(progress=self._outbox.receive(response))
                self._work.set()  # the reply to the claim lets the events follow
                self._changed.set()
        finally:
            call.cancel()
            self._channels.release(channel)
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    async def _send(self, call: Any) -> None:
        """Sends what has gathered, one message at a time: what comes while one is written goes with the next."""
        while True:
            self._work.clear()
            if not self._outbox.has_work:
                await self._work.wait()
                continue
            request = self._outbox.next_request()
            await call.write(request)
            if request.end_of_stream:
                await call.done_writing()
                return
