"""The client for asyncio."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from typing import Any, Self

import grpc
from google.protobuf.message import Message

from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc.v1.stream_service_pb2 import (
    DeleteStreamRequest,
    GetStreamRequest,
    ListStreamsRequest,
    StreamInfo,
)

from ..position import Position
from . import _rpc as rpc
from ._async_publisher import AsyncEventPublisher
from ._async_subscription import AsyncEventSubscription
from ._channel import DEFAULT_SERVER, OPTIONS, ChannelPool
from ._cursor import Cursor
from ._recovery import Recovery


class AsyncEventStreamClient:
    """Publishes to, subscribes to and manages the streams of a server; an async context manager.

    A client belongs to the event loop and the process of its first call. Publishers and subscriptions reconnect, and
    resume, for as long as it takes: bound that with `asyncio.timeout`.

    Args:
        server: the server, as `host:port` or any other gRPC target.
        credentials: for TLS; None connects in plain text.
        token: the bearer token to show the server; without TLS, everyone on the way can read it.
        wait_for_ready: wait for a server that is not up yet. Without it the first call fails at once.

    Raises:
        ValueError: `server` is empty, or `token` contains characters that are not allowed in a bearer token.

    """

    def __init__(
        self,
        server: str = DEFAULT_SERVER,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        token: str | None = None,
        wait_for_ready: bool = False,
    ) -> None:
        def connect() -> grpc.aio.Channel:
            if credentials is None:
                return grpc.aio.insecure_channel(server, options=OPTIONS)
            return grpc.aio.secure_channel(server, credentials, options=OPTIONS)

        self._channels = _OneLoop(server, connect, token, secure=credentials is not None, wait_for_ready=wait_for_ready)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    def with_token(self, token: str | None, *, fail_first: bool = False) -> Self:
        """The same client with another bearer token: both share the connections, and closing one closes both.

        Args:
            token: the token; None for none.
            fail_first: raise an error that the server answers with before its first reply, instead of a retry, which
                may heal it: the server is overloaded, or shuts down.

        Raises:
            ValueError: `token` contains characters that are not allowed in a bearer token.

        """
        other = copy.copy(self)
        other._channels = self._channels.with_token(token)
        other._channels.fail_first = fail_first
        return other

    async def close(self) -> None:
        """Closes the connections; calls that are under way are cancelled."""
        await asyncio.gather(*(channel.close() for channel in self._channels.close()))

    def publish(self, stream_id: str) -> AsyncEventPublisher:
        """Publishes to a stream, from its end on: `async with client.publish("resp_1") as publisher`.

        The publisher claims the stream: an earlier one is fenced. When the body ends, everything sent is stored and
        the stream is complete. When it raises, the stream stays open, for another publisher to resume.
        """
        return AsyncEventPublisher(self._channels, stream_id)

    def subscribe(
        self,
        stream_id: str,
        *,
        start_offset: int = 0,
        position: Position | str | None = None,
        must_exist: bool = False,
    ) -> AsyncEventSubscription[OpenResponsesStreamEvent]:
        """Iterates over a stream's events, until the stream ends.

        Args:
            stream_id: the stream.
            start_offset: the offset of the first event.
            position: in the place of `start_offset`, where an earlier subscription was: its `position`, or that as a
                string.
            must_exist: raise NOT_FOUND for a stream that does not exist, instead of waiting for it.

        Raises:
            ValueError: the offset or the position is invalid, or both are given.

        """
        cursor = self._cursor(stream_id, start_offset, position, must_exist)
        return AsyncEventSubscription(self._channels, cursor, OpenResponsesStreamEvent.FromString)

    def subscribe_serialized(
        self,
        stream_id: str,
        *,
        start_offset: int = 0,
        position: Position | str | None = None,
        must_exist: bool = False,
    ) -> AsyncEventSubscription[bytes]:
        """As `subscribe`, but yields each event's bytes, for `protobuf_to_json` or to pass on."""
        return AsyncEventSubscription(
            self._channels, self._cursor(stream_id, start_offset, position, must_exist), bytes
        )

    async def get_stream(self, stream_id: str) -> StreamInfo:
        """Describes a stream.

        Raises:
            StreamError: NOT_FOUND: the stream does not exist; or another error.

        """
        response = await self._call(GetStreamRequest(stream_id=stream_id), stream_id)
        info: StreamInfo = response.stream
        return info

    async def list_streams(self) -> AsyncIterator[StreamInfo]:
        """Iterates over the streams that the token may see; raises StreamError."""
        request = ListStreamsRequest()
        while True:
            page = await self._call(request)
            for info in page.streams:
                yield info
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def delete_stream(self, stream_id: str, *, epoch: int | None = None, allow_missing: bool = False) -> None:
        """Deletes a stream and its events.

        Args:
            stream_id: the stream.
            epoch: the epoch that the stream must have; None for any.
            allow_missing: accept a stream that does not exist.

        Raises:
            StreamError: NOT_FOUND: the stream does not exist; or another error.

        """
        await self._call(DeleteStreamRequest(stream_id=stream_id, epoch=epoch, allow_missing=allow_missing), stream_id)

    def _cursor(self, stream_id: str, start_offset: int, position: Position | str | None, must_exist: bool) -> Cursor:
        server = self._channels.server
        return Cursor(stream_id, server, start_offset=start_offset, position=position, must_exist=must_exist)

    async def _call(self, request: Message, stream_id: str = "") -> Any:
        recovery = Recovery(wait_for_ready=self._channels.wait_for_ready, fail_first=self._channels.fail_first)
        while True:
            channel = self._channels.acquire()
            try:
                return await rpc.unary(channel, request)(
                    request, metadata=self._channels.metadata, wait_for_ready=recovery.connected
                )
            except grpc.aio.AioRpcError as error:
                pause = recovery.pause(self._channels.error(error, stream_id))
            finally:
                self._channels.release(channel)
            await asyncio.sleep(pause)
            rpc.prepare_retry(request)


class _OneLoop(ChannelPool[grpc.aio.Channel]):
    """Channels that belong to the event loop of the first call."""

    _loop: asyncio.AbstractEventLoop | None = None

    def check(self) -> None:
        super().check()
        loop = asyncio.get_running_loop()
        self._loop = self._loop or loop
        if self._loop is not loop:
            raise RuntimeError(
                "the client is used in another event loop than before, and gRPC's connections belong to one: make a"
                " client in each `asyncio.run`"
            )
