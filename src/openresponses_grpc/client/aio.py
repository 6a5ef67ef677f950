"""The client for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from types import TracebackType
from typing import Any, Final, Self

import grpc

from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc.v1.stream_service_pb2 import PublishResponse, SubscribeRequest

from .. import wire
from .channel import DEFAULT_TARGET, OPTIONS, ChannelPool
from .cursor import Cursor
from .errors import stream_error
from .outbox import Outbox
from .recovery import Recovery

_TURN_BYTES: Final = 64 << 10
"""Bytes of events after which `send` lets what has gathered be sent, even if the program never waits for anything."""


class EventStreamClient:
    """Publishes to and subscribes to the streams of a server; an async context manager.

    A server that cannot be reached at all is a StreamError. A connection that breaks later is taken up again, for as
    long as it takes: bound it with `asyncio.timeout`.

    Args:
        target: the server, as `host:port` or any other gRPC target.
        credentials: for TLS; None connects in plain text.
        token: the bearer token to show the server; without TLS, everyone on the way can read it.

    Raises:
        ValueError: `token` has characters that no token has.

    """

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        token: str | None = None,
    ) -> None:
        def connect() -> grpc.aio.Channel:
            if credentials is None:
                return grpc.aio.insecure_channel(target, options=OPTIONS)
            return grpc.aio.secure_channel(target, credentials, options=OPTIONS)

        self._channels = ChannelPool(connect, token)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections; calls that are under way are cancelled."""
        await asyncio.gather(*(channel.close() for channel in self._channels.close()))

    def publish(self, stream_id: str) -> EventPublisher:
        """Opens a stream for publishing, at its end: `async with client.publish("resp_1") as publisher`.

        When the body ends, everything sent is stored and the stream has ended. When it raises, the stream is left
        open, for another publisher to go on.
        """
        return EventPublisher(self._channels, stream_id)

    async def subscribe(
        self, stream_id: str, *, start_offset: int = 0
    ) -> AsyncGenerator[OpenResponsesStreamEvent, None]:
        """Iterates over a stream's events from an offset on, until the stream ends.

        A stream that does not exist yet is waited for.

        Raises:
            StreamError: the stream cannot be read on: abandoned, expired, or another one with the same id.

        """
        async with aclosing(self.subscribe_serialized(stream_id, start_offset=start_offset)) as events:
            async for event in events:
                yield OpenResponsesStreamEvent.FromString(event)

    async def subscribe_serialized(self, stream_id: str, *, start_offset: int = 0) -> AsyncGenerator[bytes, None]:
        """As `subscribe`, but yields each event's bytes, for `protobuf_to_json` or to pass on."""
        async with aclosing(self._read(Cursor(stream_id, start_offset))) as batches:
            async for events in batches:
                for event in events:
                    yield event

    async def _read(self, cursor: Cursor) -> AsyncGenerator[Sequence[bytes], None]:
        recovery = Recovery()
        while True:
            channel = self._channels.take()
            call = channel.unary_stream(
                wire.SUBSCRIBE,
                request_serializer=SubscribeRequest.SerializeToString,
                response_deserializer=wire.SubscribeResponse.FromString,
            )(cursor.request(), metadata=self._channels.metadata, wait_for_ready=recovery.connected)
            error = None
            try:
                while isinstance(response := await call.read(), wire.SubscribeResponse):
                    recovery.answered(progress=True)
                    yield cursor.advance(response)
            except grpc.aio.AioRpcError as rpc_error:
                error = stream_error(rpc_error)
            finally:
                call.cancel()
                self._channels.give_back(channel)
            if cursor.end_of_stream:
                return
            await asyncio.sleep(recovery.pause(error))


class EventPublisher:
    """Sends events to one stream; made by `EventStreamClient.publish`, used as an async context manager."""

    def __init__(self, channels: ChannelPool[grpc.aio.Channel], stream_id: str) -> None:
        self._channels = channels
        self._outbox = Outbox(stream_id)
        self._recovery = Recovery()
        self._connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._work = asyncio.Event()  # there may be something to send
        self._acknowledged = asyncio.Event()  # the outbox has changed, or will no more
        self._task: asyncio.Task[None] | None = None
        self._gathered = 0  # bytes since `send` let others have a turn

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        try:
            await asyncio.wait((self._task, self._connected), return_when=asyncio.FIRST_COMPLETED)
            self._check()
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
                self._work.set()
                await self._task
        finally:
            await self._stop()

    async def _stop(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def send(self, event: OpenResponsesStreamEvent | bytes) -> None:
        """Takes an event to be sent; waits while too much is unacknowledged.

        Raises:
            StreamError: the stream cannot be published any further.
            IncompleteEventError: no event is set, or it is too large.

        """
        self._check()
        self._gathered += self._outbox.add(event)
        self._work.set()
        if self._gathered >= _TURN_BYTES:
            self._gathered = 0
            await asyncio.sleep(0)
        while self._outbox.full:
            await self._acknowledgement()

    async def flush(self) -> None:
        """Waits until everything sent is stored.

        Raises:
            StreamError: the stream cannot be published any further.

        """
        self._check()
        while not self._outbox.empty:
            await self._acknowledgement()

    async def _acknowledgement(self) -> None:
        self._acknowledged.clear()
        await self._acknowledged.wait()
        self._check()

    def _check(self) -> None:
        if self._task is None:
            raise RuntimeError("a publisher is used with 'async with'")
        if self._task.done():
            self._task.result()
            raise RuntimeError("the publisher has ended its stream")

    async def _run(self) -> None:
        """Calls until everything is stored."""
        try:
            while True:
                error = None
                try:
                    await self._call()
                except grpc.aio.AioRpcError as rpc_error:
                    error = stream_error(rpc_error)
                if error is None and self._outbox.stored:
                    return
                await asyncio.sleep(self._recovery.pause(error))
        finally:
            self._acknowledged.set()

    async def _call(self) -> None:
        channel = self._channels.take()
        call: Any = channel.stream_stream(
            wire.PUBLISH,
            request_serializer=wire.PublishRequest.SerializeToString,
            response_deserializer=PublishResponse.FromString,
        )(metadata=self._channels.metadata, wait_for_ready=self._recovery.connected)
        sender: asyncio.Task[None] | None = None
        try:
            with suppress(asyncio.InvalidStateError):  # the call has failed already: read raises its status
                await call.write(self._outbox.hello())
            while isinstance(response := await call.read(), PublishResponse):
                self._recovery.answered(progress=self._outbox.acknowledge(response))
                self._acknowledged.set()
                if sender is None:
                    sender = asyncio.create_task(self._send(call))
                    if not self._connected.done():
                        self._connected.set_result(None)
        finally:
            call.cancel()
            self._channels.give_back(channel)
            if sender is not None:
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
