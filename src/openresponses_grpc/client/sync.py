"""The client for threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from types import TracebackType
from typing import Any, Self

import grpc

from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc.v1.stream_service_pb2 import PublishResponse, SubscribeRequest

from .. import wire
from .channel import DEFAULT_TARGET, OPTIONS, ChannelPool
from .cursor import Cursor
from .errors import stream_error
from .outbox import Outbox
from .recovery import Recovery


class SyncEventStreamClient:
    """`EventStreamClient` without asyncio: the same arguments, promises and errors; a context manager.

    In the place of `asyncio.timeout`, `publish` and `subscribe` take a `timeout`, the seconds until a StreamError with
    DEADLINE_EXCEEDED unless they have come to their end before.

    One client may be used by many threads, a publisher and an iterator by one thread at a time.
    """

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        token: str | None = None,
    ) -> None:
        def connect() -> grpc.Channel:
            if credentials is None:
                return grpc.insecure_channel(target, options=OPTIONS)
            return grpc.secure_channel(target, credentials, options=OPTIONS)

        self._channels = ChannelPool(connect, token)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections; calls that are under way are cancelled."""
        for channel in self._channels.close():
            channel.close()

    def publish(self, stream_id: str, *, timeout: float | None = None) -> SyncEventPublisher:
        """As `EventStreamClient.publish`: `with client.publish("resp_1") as publisher`."""
        return SyncEventPublisher(self._channels, stream_id, timeout)

    def subscribe(
        self, stream_id: str, *, start_offset: int = 0, timeout: float | None = None
    ) -> Generator[OpenResponsesStreamEvent, None, None]:
        """As `EventStreamClient.subscribe`; closing the iterator ends the subscription."""
        with closing(self.subscribe_serialized(stream_id, start_offset=start_offset, timeout=timeout)) as events:
            for event in events:
                yield OpenResponsesStreamEvent.FromString(event)

    def subscribe_serialized(
        self, stream_id: str, *, start_offset: int = 0, timeout: float | None = None
    ) -> Generator[bytes, None, None]:
        """As `EventStreamClient.subscribe_serialized`."""
        cursor = Cursor(stream_id, start_offset)
        recovery = Recovery(timeout)
        while True:
            channel = self._channels.take()
            call = channel.unary_stream(
                wire.SUBSCRIBE,
                request_serializer=SubscribeRequest.SerializeToString,
                response_deserializer=wire.SubscribeResponse.FromString,
            )(
                cursor.request(),
                metadata=self._channels.metadata,
                timeout=recovery.timeout,
                wait_for_ready=recovery.connected,
            )
            error = None
            try:
                for response in call:
                    recovery.answered(progress=True)
                    yield from cursor.advance(response)
            except grpc.RpcError as rpc_error:
                error = stream_error(rpc_error)
            finally:
                call.cancel()
                self._channels.give_back(channel)
            if cursor.end_of_stream:
                return
            time.sleep(recovery.pause(error))


class SyncEventPublisher:
    """Sends events to one stream; made by `SyncEventStreamClient.publish`, used as a context manager."""

    def __init__(self, channels: ChannelPool[grpc.Channel], stream_id: str, timeout: float | None) -> None:
        self._channels = channels
        self._outbox = Outbox(stream_id)
        self._recovery = Recovery(timeout)
        self._call: Any = None
        self._closing = False  # the body raised: stop, whatever is left
        self._ended = False  # the thread has nothing more to do
        self._error: BaseException | None = None
        self._changed = threading.Condition()  # guards everything above
        self._thread = threading.Thread(target=self._run, name=f"publish {stream_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._recovery.connected or self._ended)
            self._check()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                with self._changed:
                    self._outbox.finish()
                    self._changed.notify_all()
                    self._changed.wait_for(lambda: self._ended)
                    if self._error:
                        raise self._error
        finally:
            with self._changed:
                self._closing = True
                self._changed.notify_all()
                if self._call is not None:
                    self._call.cancel()
            self._thread.join()

    def send(self, event: OpenResponsesStreamEvent | bytes) -> None:
        """Takes an event to be sent; waits while too much is unacknowledged. Raises as `EventPublisher.send`."""
        with self._changed:
            self._check()
            self._outbox.add(event)
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._outbox.full or self._ended)
            self._check()

    def flush(self) -> None:
        """Waits until everything sent is stored. Raises as `EventPublisher.flush`."""
        with self._changed:
            self._changed.wait_for(lambda: self._outbox.empty or self._ended)
            self._check()

    def _check(self) -> None:
        if self._error:
            raise self._error
        if self._ended:
            raise RuntimeError("the publisher has ended its stream")

    def _run(self) -> None:
        """Calls until everything is stored."""
        try:
            while True:
                error = None
                try:
                    self._run_call()
                except grpc.RpcError as rpc_error:
                    error = stream_error(rpc_error)
                with self._changed:
                    if self._closing or (error is None and self._outbox.stored):
                        return
                    pause = self._recovery.pause(error)
                    self._changed.wait_for(lambda: self._closing, timeout=pause)
        except BaseException as error:
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _run_call(self) -> None:
        over = threading.Event()
        with self._changed:
            if self._closing:
                return
            channel = self._channels.take()
            call = self._call = channel.stream_stream(
                wire.PUBLISH,
                request_serializer=wire.PublishRequest.SerializeToString,
                response_deserializer=PublishResponse.FromString,
            )(
                self._requests(over),
                metadata=self._channels.metadata,
                timeout=self._recovery.timeout,
                wait_for_ready=self._recovery.connected,
            )
        try:
            for response in call:
                with self._changed:
                    self._recovery.answered(progress=self._outbox.acknowledge(response))
                    self._changed.notify_all()
        finally:
            call.cancel()
            self._channels.give_back(channel)
            with self._changed:
                over.set()
                self._changed.notify_all()

    def _requests(self, over: threading.Event) -> Iterator[Any]:
        """What one call sends, taken by a thread of gRPC's: what has gathered, one message at a time."""
        with self._changed:
            hello = self._outbox.hello()
        yield hello
        request = None
        while request is None or not request.end_of_stream:
            with self._changed:
                self._changed.wait_for(lambda: over.is_set() or self._outbox.has_work)
                if over.is_set():
                    return
                request = self._outbox.next_request()
            yield request
