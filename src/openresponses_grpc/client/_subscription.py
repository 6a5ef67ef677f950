"""The synchronous subscription."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar

import grpc

from ..position import Position
from . import _rpc as rpc
from ._channel import ChannelPool
from ._cursor import Cursor
from ._recovery import Recovery

E_co = TypeVar("E_co", covariant=True)


class EventSubscription(Generic[E_co]):
    """An iterator over the events of a stream. Create it with `EventStreamClient.subscribe`.

    If you stop before the end of the stream, close the subscription: use it as a context manager, or call `close`.

    Iteration raises StreamFailedError after the last event of a stream that ended in failure, and StreamError if the
    stream can no longer be read: it was not found, is abandoned, has expired or has diverged.
    """

    def __init__(
        self,
        channels: ChannelPool[grpc.Channel],
        cursor: Cursor,
        convert: Callable[[bytes], E_co],
        timeout: float | None,
    ) -> None:
        self._channels = channels
        self._cursor = cursor
        self._events = cursor.events
        self._convert = convert
        self._recovery = Recovery(timeout, wait_for_ready=channels.wait_for_ready)
        self._channel: grpc.Channel | None = None
        self._call: Any = None
        self._error: Exception | None = None
        self._closed = False

    @property
    def position(self) -> Position | None:
        """The position to resume at: after the last event returned. None until the server has sent the epoch."""
        return self._cursor.position

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> E_co:
        while not self._events:
            self._read()
        return self._convert(self._events.popleft())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the subscription."""
        self._closed = True
        self._events = deque()  # the cursor keeps its events, so that the position stays before them
        self._end_call()

    def __del__(self) -> None:
        if not self._channels.forked:
            self._end_call()

    def _read(self) -> None:
        """Waits for the next response. Raises at the end of the stream and on errors."""
        if self._closed:
            raise RuntimeError("the subscription is closed: subscribe again at its position")
        if self._error:
            raise self._error
        if self._cursor.end_of_stream:
            # The server may still be sending the last response, and would record a cancellation. A fork gets no status.
            if self._call is not None and not self._channels.forked:
                self._call.code()
            self._end_call()
            raise self._cursor.failure() or StopIteration
        self._channels.check()
        try:
            self._read_response()
        except Exception as error:
            self._error = error
            self._end_call()
            raise

    def _read_response(self) -> None:
        error = None
        try:
            response = next(self._call or self._open(), None)
            if response is not None:
                self._recovery.record_reply(progress=True)
                self._cursor.advance(response)
                return
        except grpc.RpcError as rpc_error:
            self._channels.check()
            error = self._channels.error(rpc_error, self._cursor.stream_id, self._cursor.next_offset)
        self._end_call()
        time.sleep(self._recovery.next_delay(error))

    def _open(self) -> Any:
        self._channel = self._channels.acquire()
        self._call = rpc.subscribe(self._channel)(
            self._cursor.request(),
            metadata=self._channels.metadata,
            timeout=self._recovery.timeout,
            wait_for_ready=self._recovery.connected,
        )
        return self._call

    def _end_call(self) -> None:
        if self._channel is not None:
            if self._call is not None:
                self._call.cancel()
            self._channels.release(self._channel)
            self._call = self._channel = None
