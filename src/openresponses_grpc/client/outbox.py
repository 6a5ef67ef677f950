"""What a publisher has still to get stored. Pure: no I/O, no clock."""

from __future__ import annotations

from collections import deque
from typing import Any

import grpc

from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc.v1.stream_service_pb2 import PublishResponse

from ..errors import IncompleteEventError
from ..parsing import parse_event
from ..wire import BATCH_BYTES, MAX_EVENT_BYTES, PublishRequest
from .errors import StreamError

WINDOW_BYTES = 8 * BATCH_BYTES
"""Bytes of events that may wait for their acknowledgement before a publisher has to wait."""


class Outbox:
    """The events of one publisher that are not acknowledged, and where in the stream they belong.

    Every call begins with `hello`, whose answer tells where the stream stands; events follow with their offsets, so
    that the server drops those that it has already.

    Attributes:
        acknowledged: the offset of the first event that is not acknowledged; None before the first answer.

    """

    def __init__(self, stream_id: str) -> None:
        self._stream_id = stream_id
        self._unsent: deque[bytes] = deque()
        self._in_flight: deque[bytes] = deque()
        self._size = 0
        self.acknowledged: int | None = None
        self._sent = 0  # the offset after all that was ever sent
        self._epoch: int | None = None
        self._greeted = False  # hello is answered in this call
        self._finishing = False
        self._end_sent = False

    @property
    def full(self) -> bool:
        """Whether adding has to wait for an acknowledgement."""
        return self._size >= WINDOW_BYTES

    @property
    def empty(self) -> bool:
        """Whether everything that was added is acknowledged."""
        return not self._size

    @property
    def stored(self) -> bool:
        """Whether nothing is left to do: all is acknowledged, and the end of the stream sent if it was asked for."""
        return self.empty and self._end_sent == self._finishing

    @property
    def has_work(self) -> bool:
        """Whether there is something to send in this call."""
        return self._greeted and bool(self._unsent or (self._finishing and not self._end_sent))

    def add(self, event: OpenResponsesStreamEvent | bytes) -> int:
        """Adds an event to send, as it is now; returns its size in bytes.

        Raises:
            TypeError: `event` is neither an OpenResponsesStreamEvent nor bytes.
            InvalidProtobufError: the bytes are not a serialized OpenResponsesStreamEvent.
            IncompleteEventError: no event is set in it, or it is larger than a server accepts.

        """
        data = _serialize(event)
        if not data:
            raise IncompleteEventError("$", "no event is set")
        if len(data) > MAX_EVENT_BYTES:
            raise IncompleteEventError("$", f"the event has {len(data)} bytes; at most {MAX_EVENT_BYTES} can be sent")
        self._unsent.append(data)
        self._size += len(data)
        return len(data)

    def finish(self) -> None:
        """Lets the stream end after the events that were added."""
        self._finishing = True

    def hello(self) -> Any:
        """The first request of a call; what was in flight in the call before is to be sent again."""
        self._unsent.extendleft(reversed(self._in_flight))
        self._in_flight.clear()
        self._greeted = self._end_sent = False
        return PublishRequest(stream_id=self._stream_id, epoch=self._epoch)

    def next_request(self) -> Any:
        """As many of the events that wait as fit into a message; only to be called when `has_work`."""
        assert self.acknowledged is not None
        request = PublishRequest(first_offset=self.acknowledged + len(self._in_flight), epoch=self._epoch)
        size = 0
        while self._unsent and (not size or size + len(self._unsent[0]) <= BATCH_BYTES):
            event = self._unsent.popleft()
            size += len(event)
            self._in_flight.append(event)
            request.events.append(event)
        self._sent = max(self._sent, self.acknowledged + len(self._in_flight))
        if self._finishing and not self._unsent:
            request.end_of_stream = self._end_sent = True
        return request

    def acknowledge(self, response: PublishResponse) -> bool:
        """Forgets the events that the server has stored; returns whether there were any.

        Raises:
            StreamError: the stream has events that are not from here.

        """
        if self.acknowledged is None:
            self.acknowledged = self._sent = response.next_offset
            self._epoch = response.epoch
        self._greeted = True
        if response.next_offset > self._sent:
            raise StreamError(
                grpc.StatusCode.ABORTED,
                f"another publisher writes to the stream: it has {response.next_offset} events,"
                f" and {self._sent} with those from here",
                reason="PUBLISHER_CONFLICT",
            )
        before = self.acknowledged
        # After a break the server may have more than was in flight: what hello put back is first in line.
        while self.acknowledged < response.next_offset:
            self._size -= len((self._in_flight or self._unsent).popleft())
            self.acknowledged += 1
        return self.acknowledged > before


def _serialize(event: OpenResponsesStreamEvent | bytes) -> bytes:
    if isinstance(event, OpenResponsesStreamEvent):
        return event.SerializeToString()
    if not isinstance(event, bytes):
        raise TypeError(f"expected an OpenResponsesStreamEvent or its bytes, got {type(event).__name__}")
    parse_event(event)
    return event
