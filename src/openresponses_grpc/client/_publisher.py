"""The publisher for threads."""

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
    """Sends events to one stream; made by `EventStreamClient.publish`, used as a context manager.

    Otherwise as `AsyncEventPublisher`.
    """

    def __init__(self, channels: ChannelPool[grpc.Channel], stream_id: str, timeout: float | None) -> None:
        self._channels = channels
        self._stream_id = stream_id
        self._outbox = Outbox(stream_id, channels.server)
        self._recovery = Recovery(timeout, wait_for_ready=channels.wait_for_ready)
        self._call: Any = None
        self._closing = False  # the body raised: stop, whatever is left
        self._ended = False  # the thread has nothing more to do
        self._error: BaseException | None = None
        self._changed = threading.Condition()  # guards everything above
        self._thread = threading.Thread(target=self._run, name=f"publish {stream_id}", daemon=True)

    @property
    def position(self) -> Position:
        """The end of the stream as of the last acknowledgement; when it opens, where the stream ends."""
        if self._outbox.position is None:
            raise RuntimeError("a publisher is used with 'with'")
        return self._outbox.position

    @property
    def end_of_stream(self) -> bool:
        """Whether the stream has ended."""
        return self._outbox.end_of_stream

    @property
    def failure(self) -> StreamFailure | None:
        """Why the stream has ended, if it ended in failure."""
        return self._outbox.failure

    def __enter__(self) -> Self:
        if self._thread.ident is not None:
            raise RuntimeError("a publisher is opened once: make another one")
        self._channels.check()
        self._thread.start()
        try:
            with self._changed:
                self._changed.wait_for(lambda: self._outbox.position is not None or self._ended)
                self._raise()
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
            return  # its thread and its call are the parent's
        try:
            if kind is None:
                with self._changed:
                    self._outbox.finish()
                    if self._outbox.finishing:
                        self._finished()
        finally:
            self._stop()

    def send(self, event: Sendable) -> None:
        """Takes an event to be sent, once there is room for it. Raises as `AsyncEventPublisher.send`."""
        self._check()
        data = serialize(event)
        with self._changed:
            self._changed.wait_for(lambda: not self._outbox.full or self._ended)
            self._check()
            self._outbox.add(data)
            self._changed.notify_all()

    def flush(self) -> None:
        """Waits until everything sent is stored. Raises as `AsyncEventPublisher.flush`."""
        self._check()
        with self._changed:
            self._changed.wait_for(lambda: self._outbox.empty or self._ended)
            self._raise()

    def fail(self, reason: str, message: str = "") -> None:
        """Ends the stream as failed, after the events sent so far. Arguments and errors: `AsyncEventPublisher.fail`."""
        failure = stream_failure(reason, message)
        self._check()
        with self._changed:
            self._outbox.fail(failure)
            self._finished()

    def _finished(self) -> None:
        self._changed.notify_all()
        self._changed.wait_for(lambda: self._ended)
        self._raise()

    def _stop(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            if self._call is not None:
                self._call.cancel()
        self._thread.join()

    def _check(self) -> None:
        if self._thread.ident is None:
            raise RuntimeError("a publisher is used with 'with'")
        self._raise()
        if self._ended or self._outbox.finishing:
            raise RuntimeError("the publisher is closed: open another one")
        self._channels.check()

    def _raise(self) -> None:
        if self._error:
            raise self._error

    def _run(self) -> None:
        """Calls until everything is stored."""
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
            channel = self._channels.acquire()
            self._outbox.restart()
            call = self._call = rpc.publish(channel)(
                self._requests(over),
                metadata=self._channels.metadata,
                timeout=self._recovery.timeout,
                wait_for_ready=self._recovery.connected,
            )
        try:
            for response in call:
                with self._changed:
                    self._recovery.answered(progress=self._outbox.receive(response))
                    self._changed.notify_all()
        finally:
            call.cancel()
            self._channels.release(channel)
            with self._changed:
                over.set()
                self._changed.notify_all()

    def _requests(self, over: threading.Event) -> Iterator[Any]:
        """What one call sends, taken by one of gRPC's threads: what has gathered, one message at a time."""
        request = None
        while request is None or not request.end_of_stream:
            with self._changed:
                self._changed.wait_for(lambda: over.is_set() or self._outbox.has_work)
                if over.is_set():
                    return
                request = self._outbox.next_request()
            yield request
