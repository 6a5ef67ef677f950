"""The synchronous client."""

from __future__ import annotations

import time
from collections.abc import Iterator
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
from ._channel import DEFAULT_SERVER, OPTIONS, ChannelPool
from ._cursor import Cursor
from ._publisher import EventPublisher
from ._recovery import Recovery
from ._subscription import EventSubscription


class EventStreamClient:
    """The synchronous counterpart of `AsyncEventStreamClient`: same arguments, guarantees and errors.

    Use it as a context manager. Each method takes a `timeout` in seconds: a publisher, subscription or call that has
    not ended by then raises StreamError with the code DEADLINE_EXCEEDED. None sets no limit.

    A client is thread-safe. Use each publisher and each subscription from one thread at a time. A client does not
    survive a fork.

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
        def connect() -> grpc.Channel:
            if credentials is None:
                return grpc.insecure_channel(server, options=OPTIONS)
            return grpc.secure_channel(server, credentials, options=OPTIONS)

        self._channels = ChannelPool(
            server, connect, token, secure=credentials is not None, wait_for_ready=wait_for_ready
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections and cancels running calls."""
        for channel in self._channels.close():
            channel.close()

    def publish(self, stream_id: str, *, timeout: float | None = None) -> EventPublisher:
        """Opens a publisher that appends to a stream: `with client.publish("resp_1") as publisher`.

        The publisher claims the stream and fences earlier publishers. When the body of the context ends, all events
        are stored and the stream is complete. If the body raises, the stream stays open, and another publisher can
        resume it.

        Args:
            stream_id: id of the stream, which need not exist.
            timeout: seconds until the publisher fails; None sets no limit.

        Returns:
            The publisher, a context manager.

        """
        return EventPublisher(self._channels, stream_id, timeout)

    def subscribe(
        self,
        stream_id: str,
        *,
        start_offset: int = 0,
        position: Position | str | None = None,
        must_exist: bool = False,
        timeout: float | None = None,
    ) -> EventSubscription[OpenResponsesStreamEvent]:
        """Subscribes to a stream's events, up to its end.

        Args:
            stream_id: id of the stream.
            start_offset: offset of the first event.
            position: position to resume at, instead of `start_offset`: the `position` of an earlier subscription, or
                its string form.
            must_exist: raise NOT_FOUND if the stream does not exist, instead of waiting for it.
            timeout: seconds until the subscription fails; None sets no limit.

        Returns:
            An iterator over the events.

        Raises:
            ValueError: the offset or the position is invalid, or both are given.

        """
        cursor = self._cursor(stream_id, start_offset, position, must_exist)
        return EventSubscription(self._channels, cursor, OpenResponsesStreamEvent.FromString, timeout)

    def subscribe_serialized(
        self,
        stream_id: str,
        *,
        start_offset: int = 0,
        position: Position | str | None = None,
        must_exist: bool = False,
        timeout: float | None = None,
    ) -> EventSubscription[bytes]:
        """Like `subscribe`, but yields serialized events, for `protobuf_to_json` or for forwarding."""
        cursor = self._cursor(stream_id, start_offset, position, must_exist)
        return EventSubscription(self._channels, cursor, bytes, timeout)

    def get_stream(self, stream_id: str, *, timeout: float | None = None) -> StreamInfo:
        """Returns the state, offsets, size and times of a stream.

        Args:
            stream_id: id of the stream.
            timeout: seconds until the call fails; None sets no limit.

        Raises:
            StreamError: the call failed; its code is NOT_FOUND if the stream does not exist.

        """
        response = self._call(GetStreamRequest(stream_id=stream_id), self._recovery(timeout), stream_id)
        info: StreamInfo = response.stream
        return info

    def list_streams(self, *, timeout: float | None = None) -> Iterator[StreamInfo]:
        """Iterates over the streams that the token may inspect, in no particular order.

        Args:
            timeout: seconds for all calls together; None sets no limit.

        Raises:
            StreamError: a call failed.

        """
        request = ListStreamsRequest()
        recovery = self._recovery(timeout)
        while True:
            page = self._call(request, recovery)
            yield from page.streams
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def delete_stream(
        self, stream_id: str, *, epoch: int | None = None, allow_missing: bool = False, timeout: float | None = None
    ) -> None:
        """Deletes a stream and its events.

        Args:
            stream_id: id of the stream.
            epoch: delete the stream only if it has this epoch; None accepts any.
            allow_missing: succeed if the stream does not exist.
            timeout: seconds until the call fails; None sets no limit.

        Raises:
            StreamError: the call failed; its code is NOT_FOUND if the stream does not exist.

        """
        request = DeleteStreamRequest(stream_id=stream_id, epoch=epoch, allow_missing=allow_missing)
        self._call(request, self._recovery(timeout), stream_id)

    def _cursor(self, stream_id: str, start_offset: int, position: Position | str | None, must_exist: bool) -> Cursor:
        server = self._channels.server
        return Cursor(stream_id, server, start_offset=start_offset, position=position, must_exist=must_exist)

    def _recovery(self, timeout: float | None) -> Recovery:
        return Recovery(timeout, wait_for_ready=self._channels.wait_for_ready)

    def _call(self, request: Message, recovery: Recovery, stream_id: str = "") -> Any:
        while True:
            channel = self._channels.acquire()
            try:
                return rpc.unary(channel, request)(
                    request,
                    metadata=self._channels.metadata,
                    timeout=recovery.timeout,
                    wait_for_ready=recovery.connected,
                )
            except grpc.RpcError as error:
                delay = recovery.next_delay(self._channels.error(error, stream_id))
            finally:
                self._channels.release(channel)
            time.sleep(delay)
            rpc.prepare_retry(request)
