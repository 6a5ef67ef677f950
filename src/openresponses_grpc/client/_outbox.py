"""A publisher's unacknowledged events. Pure: no I/O, no clock."""

from __future__ import annotations

from collections import deque
from typing import Any

import grpc

from openresponses_grpc.v1.stream_service_pb2 import PublishResponse, StreamFailure

from ..codec._raw_messages import BATCH_BYTES, MAX_EVENTS, PublishRequest
from ..codec._raw_messages import StreamFailure as RawFailure
from ..position import Position
from ._advice import BY_REASON
from ._errors import StreamError, location

WINDOW_BYTES = 8 * BATCH_BYTES
"""Size limit of the unacknowledged events, in bytes. Above it, `send` waits."""


class Outbox:
    """Builds the requests of one publisher: it draws a publisher number, claims the stream, and appends events.

    Each call starts with `restart`. Its first requests draw the number, unless an earlier call did, and claim the
    stream. The events follow after the reply to the claim, with their offsets. After a broken call, all unacknowledged
    events are sent again, even those that the log already contains according to the reply to the claim: the server
    compares them with its log.

    Attributes:
        position: end of the stream as of the last acknowledgement; None before the stream is claimed.
        end_of_stream: whether the stream has ended.
        failure: the failure of a stream that ended in failure; None otherwise.
        finishing: whether this publisher ends the stream after its events.

    """

    def __init__(self, stream_id: str, server: str) -> None:
        self._stream_id = stream_id
        self._server = server
        self._unsent: deque[bytes] = deque()
        self._in_flight: deque[bytes] = deque()
        self._size = 0
        self._sent = 0  # the offset after the last event that any call has sent
        self._number: int | None = None
        self._epoch: int | None = None
        self._awaiting_reply = False  # to the draw or the claim
        self._claimed = False  # in this call
        self._end_sent = False  # in this call
        self._ending: StreamFailure | None = None
        self.finishing = False
        self.position: Position | None = None
        self.end_of_stream = False
        self.failure: StreamFailure | None = None

    @property
    def full(self) -> bool:
        """Whether the caller must wait for an acknowledgement before it adds an event."""
        return self._size >= WINDOW_BYTES

    @property
    def empty(self) -> bool:
        """Whether all added events are acknowledged."""
        return not self._size

    @property
    def stored(self) -> bool:
        """Whether all added events are acknowledged, and the end of the stream too if this publisher ends it."""
        return self.empty and (self._end_sent and self.end_of_stream if self.finishing else True)

    @property
    def has_work(self) -> bool:
        """Whether `next_request` can be called now."""
        if not self._claimed:
            return not self._awaiting_reply
        return bool(self._unsent) or (self.finishing and not self._end_sent)

    def add(self, event: bytes) -> None:
        """Adds an event to send; raises StreamError STREAM_FINISHED if the stream has ended."""
        if self.end_of_stream:
            raise self._finished_error()
        self._unsent.append(event)
        self._size += len(event)

    def finish(self) -> None:
        """Ends the stream after the added events, unless it has already ended or `fail` was called."""
        self.finishing = self.finishing or not self.end_of_stream

    def fail(self, failure: StreamFailure) -> None:
        """Ends the stream in failure after the added events."""
        self.finishing, self._ending = True, failure

    def restart(self) -> None:
        """Starts a new call, which sends all unacknowledged events again."""
        self._unsent.extendleft(reversed(self._in_flight))
        self._in_flight.clear()
        self._awaiting_reply = self._claimed = self._end_sent = False

    def next_request(self) -> Any:
        """Returns the next `raw_messages.PublishRequest`. Call it only if `has_work` is true."""
        if not self._claimed:
            self._awaiting_reply = True
            return self._claim()
        assert self.position is not None
        request = PublishRequest(
            first_offset=self.position.offset + len(self._in_flight), epoch=self._epoch, publisher=self._number
        )
        size = 0
        while self._unsent and len(request.events) < MAX_EVENTS:
            if size and size + len(self._unsent[0]) > BATCH_BYTES:
                break
            event = self._unsent.popleft()
            size += len(event)
            self._in_flight.append(event)
            request.events.append(event)
        self._sent = max(self._sent, self.position.offset + len(self._in_flight))
        if self.finishing and not self._unsent:
            request.end_of_stream = self._end_sent = True
            if self._ending:
                request.failure.CopyFrom(RawFailure(reason=self._ending.reason, message=self._ending.message))
        return request

    def receive(self, response: PublishResponse) -> bool:
        """Processes the reply to a request; returns whether the publisher made progress.

        Raises:
            StreamError: DATA_LOSS, if the server acknowledged events that this publisher never sent.

        """
        if self._number is None:
            self._number, self._epoch, self._awaiting_reply = response.publisher, response.epoch, False
            return True
        self.end_of_stream = response.end_of_stream
        self.failure = response.failure if response.HasField("failure") else None
        if not self._claimed:
            self._claimed = True
            if self.position is None:
                self._sent = response.next_offset
                self._acknowledge(response, response.next_offset)
                return True
            return False
        return self._drop_stored(response)

    def _finished_error(self) -> StreamError:
        assert self.position is not None
        how = f"failed with {self.failure.reason}" if self.failure else "ended"
        hint = BY_REASON["STREAM_FINISHED"]
        return StreamError(
            grpc.StatusCode.FAILED_PRECONDITION,
            f"{location(self._stream_id, self._server)} {how} at offset {self.position.offset}; {hint}",
            reason="STREAM_FINISHED",
            metadata={"next_offset": str(self.position.offset)},
            stream_id=self._stream_id,
            server=self._server,
        )

    def _claim(self) -> Any:
        """Returns the request that draws a publisher number, or claims the stream with it."""
        if self._number is None:
            return PublishRequest(stream_id=self._stream_id, publisher=0)
        known = self.position
        return PublishRequest(
            stream_id=self._stream_id,
            epoch=self._epoch,
            publisher=self._number,
            checked_offset=known.checked_offset if known else None,
            checksum=known.checksum if known else None,
        )

    def _drop_stored(self, response: PublishResponse) -> bool:
        """Drops the events that the server has stored. It has compared those sent again with its log."""
        assert self.position is not None
        if response.next_offset > self._sent:
            raise StreamError(
                grpc.StatusCode.DATA_LOSS,
                f"{location(self._stream_id, self._server)}: the server acknowledged {response.next_offset} events, but"
                f" only {self._sent} were sent",
                reason="DATA_LOSS",
                stream_id=self._stream_id,
                server=self._server,
            )
        before = self.position.offset
        stored = min(response.next_offset, before + len(self._in_flight))
        for _ in range(before, stored):
            self._size -= len(self._in_flight.popleft())
        self._acknowledge(response, max(before, stored))
        return stored > before

    def _acknowledge(self, response: PublishResponse, offset: int) -> None:
        checksum = response.checksum if response.HasField("checksum") else None
        self.position = Position(response.epoch, offset, response.checked_offset, checksum)
