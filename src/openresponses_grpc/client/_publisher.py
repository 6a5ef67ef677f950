"""The synchronous publisher."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import grpc

from openresponses_grpc.v1.stream_service_pb2 import StreamFailure

from ..position import Position
from . import _rpc as rpc
from ._channel import ChannelPool
from ._outbox import Outbox
from ._outgoing import Sendable, serialize, stream_failure
from ._recovery import Recovery


class EventPublisher:
    """Sends events to one stream. Create it with `EventStreamClient.publish`; use it as a context manager.

    Entering the context claims the stream. If a later publisher claims the stream, this one is fenced: its next `send`,
    `flush` or exit raises StreamError with the reason PUBLISHER_FENCED.
    """

    def __init__(self, channels: ChannelPool[grpc.Channel], stream_id: str, timeout: float | None) -> None:
        self._channels = channels
        self._stream_id = stream_id
        self._outbox = Outbox(stream_id, channels.server)
        self._recovery = Recovery(timeout, wait_for_ready=channels.wait_for_ready)
        self._call: Any = None
        self._closing = False  # stop now, even if events are unacknowledged
        self._ended = False  # the thread has ended
        self._error: BaseException | None = None
        self._changed = threading.Condition()  # guards everything above
        self._thread = threading.Thread(target=self._run, name=f"publish {stream_id}", daemon=True)

    @property
    def position(self) -> Position:
        """The end of the stream as of the last acknowledgement. When the publisher opens, the stream's current end."""
        if self._outbox.position is None:
            raise RuntimeError("open the publisher with 'with' first")
        return self._outbox.position

    @property
    def end_of_stream(self) -> bool:
        """Whether the stream has ended."""
        return self._outbox.end_of_stream

    @property
    def failure(self) -> StreamFailure | None:
        """The reason and message of a stream that ended in failure; None otherwise."""
        return self._outbox.failure

    def __enter__(self) -> Self:
        if self._thread.ident is not None:
            raise RuntimeError("a publisher can be opened only once: create another one")
        self._channels.check()
        self._thread.start()
        try:
            with self._changed:
                self._changed.wait_for(lambda: self._outbox.position is not None or self._ended)
                self._raise_error()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._channels.forked:
            if kind is None:
                self._channels.check()
            return  # the thread and the call exist only in the parent process
        try:
            if kind is None:
                with self._changed:
                    self._outbox.finish()
                    if self._outbox.finishing:
                        self._wait_until_done()
        finally:
            self._stop()

    def send(self, event: Sendable) -> None:
        """Queues an event to be sent. Applies backpressure: waits while the buffer of unacknowledged events is full.

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
        with self._changed:
            self._changed.wait_for(lambda: not self._outbox.full or self._ended)
            self._check()
            self._outbox.add(data)
            self._changed.notify_all()

    def flush(self) -> None:
        """Waits until all queued events are stored.

        Raises:
            StreamError: publishing failed.

        """
        self._check()
        with self._changed:
            self._changed.wait_for(lambda: self._outbox.empty or self._ended)
            self._raise_error()

    def fail(self, reason: str, message: str = "") -> None:
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
        with self._changed:
            self._outbox.fail(failure)
            self._wait_until_done()

    def _wait_until_done(self) -> None:
        self._changed.notify_all()
        self._changed.wait_for(lambda: self._ended)
        self._raise_error()

    def _stop(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            if self._call is not None:
                self._call.cancel()
        self._thread.join()

    def _check(self) -> None:
        if self._thread.ident is None:
            raise RuntimeError("open the publisher with 'with' first")
        self._raise_error()
        if self._ended or self._outbox.finishing:
            raise RuntimeError("the publisher is closed: create another one")
        self._channels.check()

    def _raise_error(self) -> None:
        if self._error:
            raise self._error

    def _run(self) -> None:
        """Makes calls until everything is stored."""
        try:
            while True:
                error = None
                try:
                    self._run_call()
                except grpc.RpcError as rpc_error:
                    position = self._outbox.position
                    error = self._channels.error(rpc_error, self._stream_id, position.offset if position else None)
                with self._changed:
                    if self._closing or (error is None and self._outbox.finishing and self._outbox.stored):
                        return
                    self._channels.check()
                    delay = self._recovery.next_delay(error)
                    self._changed.wait_for(lambda: self._closing, timeout=delay)
        except BaseException as error:
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _run_call(self) -> None:
        call_ended = threading.Event()
        with self._changed:
            if self._closing:
                return
            channel = self._channels.acquire()
            self._outbox.restart()
            call = self._call = rpc.publish(channel)(
                self._requests(call_ended),
                metadata=self._channels.metadata,
                timeout=self._recovery.timeout,
                wait_for_ready=self._recovery.connected,
            )
        try:
            for response in call:
                with self._changed:
                    self._recovery.record_reply(progress=self._outbox.receive(response))
                    self._changed.notify_all()
        finally:
            call.cancel()
            self._channels.release(channel)
            with self._changed:
                call_ended.set()
                self._changed.notify_all()

    def _requests(self, call_ended: threading.Event) -> Iterator[Any]:
        """Yields the requests of one call to a gRPC thread. Each holds the events queued since the one before."""
        request = None
        while request is None or not request.end_of_stream:
            with self._changed:
                self._changed.wait_for(lambda: call_ended.is_set() or self._outbox.has_work)
                if call_ended.is_set():
                    return
                request = self._outbox.next_request()
            yield request
