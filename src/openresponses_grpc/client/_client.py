"""The client for threads."""

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
    """`AsyncEventStreamClient` without asyncio: the same arguments, promises and errors; a context manager.

    In the place of `asyncio.timeout`, every method takes a `timeout`: the seconds until a StreamError with
    DEADLINE_EXCEEDED, unless the publisher, the subscription or the call has ended before.

    One client may be used by many threads of one process, a publisher or a subscription by one thread at a time.
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
        """Closes the connections; calls that are under way are cancelled."""
        for channel in self._channels.close():
            channel.close()

    def publish(self, stream_id: str, *, timeout: float | None = None) -> EventPublisher:
        """As `AsyncEventStreamClient.publish`: `with client.publish("resp_1") as publisher`."""
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
        """As `AsyncEventStreamClient.subscribe`."""
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
        """As `AsyncEventStreamClient.subscribe_serialized`."""
        cursor = self._cursor(stream_id, start_offset, position, must_exist)
        return EventSubscription(self._channels, cursor, bytes, timeout)

    def get_stream(self, stream_id: str, *, timeout: float | None = None) -> StreamInfo:
        """As `AsyncEventStreamClient.get_stream`."""
        response = self._call(GetStreamRequest(stream_id=stream_id), self._recovery(timeout), stream_id)
        info: StreamInfo = response.stream
        return info

    def list_streams(self, *, timeout: float | None = None) -> Iterator[StreamInfo]:
        """As `AsyncEventStreamClient.list_streams`."""
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
        """As `AsyncEventStreamClient.delete_stream`."""
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
                pause = recovery.pause(self._channels.error(error, stream_id))
            finally:
                self._channels.release(channel)
            time.sleep(pause)
            rpc.prepare_retry(request)
