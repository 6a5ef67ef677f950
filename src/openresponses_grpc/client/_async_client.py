"""The asyncio client."""

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
    """An asyncio client for the streams of one server. Use it as an async context manager.

    A client belongs to the event loop and the process of its first call. Publishers and subscriptions reconnect and
    resume without a time limit; set one with `asyncio.timeout`.

    Args:
        server: server address, as `host:port` or any other gRPC target.
        credentials: TLS credentials; None connects in plain text.
        token: bearer token to send with each call. Without TLS, it can be read on the network.
        wait_for_ready: wait for a server that is not up yet. Otherwise the first call fails immediately.

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

        self._channels = _LoopChannelPool(
            server, connect, token, secure=credentials is not None, wait_for_ready=wait_for_ready
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    def with_token(self, token: str | None, *, fail_fast: bool = False) -> Self:
        """Returns a client that sends another bearer token. Both share their connections; closing one closes both.

        Args:
            token: bearer token; None sends none.
            fail_fast: raise an error that the server returns before its first reply, even if a retry may succeed,
                such as when the server is overloaded or shutting down.

        Returns:
            The other client.

        Raises:
            ValueError: `token` contains characters that are not allowed in a bearer token.

        """
        other = copy.copy(self)
        other._channels = self._channels.with_token(token)
        other._channels.fail_fast = fail_fast
        return other

    async def close(self) -> None:
        """Closes the connections and cancels running calls."""
        await asyncio.gather(*(channel.close() for channel in self._channels.close()))

    def publish(self, stream_id: str) -> AsyncEventPublisher:
        """Opens a publisher that appends to a stream: `async with client.publish("resp_1") as publisher`.

        The publisher claims the stream and fences earlier publishers. When the body of the context ends, all events
        are stored and the stream is complete. If the body raises, the stream stays open, and another publisher can
        resume it.

        Args:
            stream_id: id of the stream, which need not exist.

        Returns:
            The publisher, an async context manager.

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
        """Subscribes to a stream's events, up to its end.

        Args:
            stream_id: id of the stream.
            start_offset: offset of the first event.
            position: position to resume at, instead of `start_offset`: the `position` of an earlier subscription, or
                its string form.
            must_exist: raise NOT_FOUND if the stream does not exist, instead of waiting for it.

        Returns:
            An async iterator over the events.

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
        """Like `subscribe`, but yields serialized events, for `protobuf_to_json` or for forwarding."""
        return AsyncEventSubscription(
            self._channels, self._cursor(stream_id, start_offset, position, must_exist), bytes
        )

    async def get_stream(self, stream_id: str) -> StreamInfo:
        """Returns the state, offsets, size and times of a stream.

        Args:
            stream_id: id of the stream.

        Raises:
            StreamError: the call failed; its code is NOT_FOUND if the stream does not exist.

        """
        response = await self._call(GetStreamRequest(stream_id=stream_id), stream_id)
        info: StreamInfo = response.stream
        return info

    async def list_streams(self) -> AsyncIterator[StreamInfo]:
        """Iterates over the streams that the token may inspect, in no particular order.

        Raises:
            StreamError: a call failed.

        """
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
            stream_id: id of the stream.
            epoch: delete the stream only if it has this epoch; None accepts any.
            allow_missing: succeed if the stream does not exist.

        Raises:
            StreamError: the call failed; its code is NOT_FOUND if the stream does not exist.

        """
        await self._call(DeleteStreamRequest(stream_id=stream_id, epoch=epoch, allow_missing=allow_missing), stream_id)

    def _cursor(self, stream_id: str, start_offset: int, position: Position | str | None, must_exist: bool) -> Cursor:
        server = self._channels.server
        return Cursor(stream_id, server, start_offset=start_offset, position=position, must_exist=must_exist)

    async def _call(self, request: Message, stream_id: str = "") -> Any:
        recovery = Recovery(wait_for_ready=self._channels.wait_for_ready, fail_fast=self._channels.fail_fast)
        while True:
            channel = self._channels.acquire()
            try:
                return await rpc.unary(channel, request)(
                    request, metadata=self._channels.metadata, wait_for_ready=recovery.connected
                )
            except grpc.aio.AioRpcError as error:
                delay = recovery.next_delay(self._channels.error(error, stream_id))
            finally:
                self._channels.release(channel)
            await asyncio.sleep(delay)
            rpc.prepare_retry(request)


class _LoopChannelPool(ChannelPool[grpc.aio.Channel]):
    """Channels bound to the event loop of the first call."""

    _loop: asyncio.AbstractEventLoop | None = None

    def check(self) -> None:
        super().check()
        loop = asyncio.get_running_loop()
        self._loop = self._loop or loop
        if self._loop is not loop:
            raise RuntimeError(
                "the client belongs to another event loop, and gRPC connections cannot change loops: create a client in"
                " each `asyncio.run`"
            )
