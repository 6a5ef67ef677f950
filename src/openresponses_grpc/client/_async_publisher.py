"""The asyncio publisher."""

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

_YIELD_BYTES: Final = 64 << 10
"""Bytes of events after which `send` yields to the sender task: a caller that never awaits anything would starve it."""


class AsyncEventPublisher:
    """Sends events to one stream. Create it with `AsyncEventStreamClient.publish`; use it as an async context manager.

    Entering the context claims the stream. If a later publisher claims the stream, this one is fenced: its next `send`,
    `flush` or exit raises StreamError with the reason PUBLISHER_FENCED.
    """

    def __init__(self, channels: ChannelPool[grpc.aio.Channel], stream_id: str) -> None:
        self._channels = channels
        self._stream_id = stream_id
        self._outbox = Outbox(stream_id, channels.server)
        self._recovery = Recovery(wait_for_ready=channels.wait_for_ready)
        self._work = asyncio.Event()  # there may be something to send
        self._changed = asyncio.Event()  # the outbox changed, or the task ended
        self._task: asyncio.Task[None] | None = None
        self._added_bytes = 0  # since `send` last yielded

    @property
    def position(self) -> Position:
        """The end of the stream as of the last acknowledgement. When the publisher opens, the stream's current end."""
        if self._outbox.position is None:
            raise RuntimeError("open the publisher with 'async with' first")
        return self._outbox.position

    @property
    def end_of_stream(self) -> bool:
        """Whether the stream has ended."""
        return self._outbox.end_of_stream

    @property
    def failure(self) -> StreamFailure | None:
        """The reason and message of a stream that ended in failure; None otherwise."""
        return self._outbox.failure

    async def __aenter__(self) -> Self:
        if self._task is not None:
            raise RuntimeError("a publisher can be opened only once: create another one")
        self._channels.check()
        self._task = asyncio.create_task(self._run())
        try:
            while self._outbox.position is None:
                await self._wait_for_change()
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
                    await self._wait_until_done()
        finally:
            await self._stop()

    async def send(self, event: Sendable) -> None:
        """Queues an event to be sent. Applies backpressure: waits while the buffer of unacknowledged events is full.

        If `send` is cancelled or times out, the event is not queued.

        Args:
            event: the message, or its serialized form.

        Raises:
            StreamError: the stream has ended, or publishing failed.
            InvalidProtobufError: the bytes are not a serialized event.
            IncompleteEventError: the message has no event set, or is too large.
            TypeError: `event` is neither a message nor bytes.

        """
        self._check()
        data = serialize(event)
        if self._added_bytes >= _YIELD_BYTES or self._outbox.full:
            await self._wait_for_space()
        self._outbox.add(data)
        self._added_bytes += len(data)
        self._work.set()

    async def flush(self) -> None:
        """Waits until all queued events are stored.

        Raises:
            StreamError: publishing failed.

        """
        self._check()
        while not self._outbox.empty:
            await self._wait_for_change()

    async def fail(self, reason: str, message: str = "") -> None:
        """Ends the stream as failed, after the events queued so far. Returns once the failure is stored.

        Subscribers receive the events, then StreamFailedError. The publisher cannot be used afterwards.

        Args:
            reason: machine-readable reason, such as `UPSTREAM_TIMEOUT`: 1 to 64 bytes of UTF-8.
            message: human-readable explanation, up to 4,096 bytes of UTF-8.

        Raises:
            ValueError: `reason` is empty, or `reason` or `message` is too long.
            StreamError: publishing failed, or the stream has already ended in another way.

        """
        failure = stream_failure(reason, message)
        self._check()
        self._outbox.fail(failure)
        await self._wait_until_done()

    async def _wait_for_space(self) -> None:
        """Yields to the sender task, then waits until the outbox has space."""
        self._added_bytes = 0
        await asyncio.sleep(0)
        while self._outbox.full:
            await self._wait_for_change()
        self._check()

    async def _wait_until_done(self) -> None:
        self._work.set()
        assert self._task is not None
        await asyncio.wait((self._task,))
        self._task.result()

    async def _stop(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _wait_for_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
        if self._task and self._task.done():
            self._task.result()

    def _check(self) -> None:
        if self._task is None:
            raise RuntimeError("open the publisher with 'async with' first")
        if self._task.done() or self._outbox.finishing:
            if self._task.done() and not self._task.cancelled():
                self._task.result()
            raise RuntimeError("the publisher is closed: create another one")
        self._channels.check()

    async def _run(self) -> None:
        """Makes calls until everything is stored."""
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
                await asyncio.sleep(self._recovery.next_delay(error))
        except asyncio.CancelledError:
            if self._channels.closed:  # closing the client cancels its calls
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
                self._recovery.record_reply(progress=self._outbox.receive(response))
                self._work.set()  # events may be sent after the reply to the claim
                self._changed.set()
        finally:
            call.cancel()
            self._channels.release(channel)
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    async def _send(self, call: Any) -> None:
        """Sends the queued events. Events that arrive during a write go into the next message."""
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
