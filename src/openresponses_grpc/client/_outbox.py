"""The events that a publisher has yet to get stored. Pure: no I/O, no clock."""

from __future__ import annotations

from collections import deque
from typing import Any

import grpc

from openresponses_grpc.v1.stream_service_pb2 import PublishResponse, StreamFailure

from ..codec._raw_messages import BATCH_BYTES, MAX_EVENTS, PublishRequest
from ..codec._raw_messages import StreamFailure as WireFailure
from ..position import Position
from ._advice import BY_REASON
from ._errors import StreamError, place

WINDOW_BYTES = 8 * BATCH_BYTES
"""Bytes of unacknowledged events above which a publisher has to wait."""


class Outbox:
    """The requests of one publisher: it draws a number, claims the stream with it, and appends its events.

    A call begins with `restart`. Its first requests draw the number, unless there is one, and claim the stream. Events
    follow the reply to the claim, with their offsets. After a break every event without an acknowledgement is sent
    again, also where the reply to the claim shows that the log has it: the server compares it with its log.

    Attributes:
        position: the end of the stream as of the last acknowledgement; None before the stream is claimed.
        end_of_stream: whether the stream has ended.
        failure: why, if it ended in failure.
        finishing: whether this publisher has asked for the end of the stream.

    """

    def __init__(self, stream_id: str, server: str) -> None:
        self._stream_id = stream_id
        self._server = server
        self._unsent: deque[bytes] = deque()
        self._in_flight: deque[bytes] = deque()
        self._size = 0
        self._sent = 0  # the offset after everything that was ever sent
        self._number: int | None = None
        self._epoch: int | None = None
        self._asked = False  # the draw or the claim is under way
        self._claimed = False  # in this call
        self._end_sent = False  # in this call
        self._ending: StreamFailure | None = None
        self.finishing = False
        self.position: Position | None = None
        self.end_of_stream = False
        self.failure: StreamFailure | None = None

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
        """Whether nothing is left to do: all is acknowledged, and so is the end of the stream if it was asked for."""
        return self.empty and (self._end_sent and self.end_of_stream if self.finishing else True)

    @property
    def has_work(self) -> bool:
        """Whether there is a request to send now."""
        if not self._claimed:
            return not self._asked
        return bool(self._unsent) or (self.finishing and not self._end_sent)

    def add(self, event: bytes) -> None:
        """Adds an event to send; raises StreamError STREAM_FINISHED if nothing can be appended."""
        if self.end_of_stream:
            raise self._finished_error()
        self._unsent.append(event)
        self._size += len(event)

    def finish(self) -> None:
        """Ends the stream after the events that were added; does nothing if it has ended, or is to fail."""
        self.finishing = self.finishing or not self.end_of_stream

    def fail(self, failure: StreamFailure) -> None:
        """Ends the stream in failure after the events that were added."""
        self.finishing, self._ending = True, failure

    def restart(self) -> None:
        """Begins a new call: everything that is not acknowledged is to be sent again."""
        self._unsent.extendleft(reversed(self._in_flight))
        self._in_flight.clear()
        self._asked = self._claimed = self._end_sent = False

    def next_request(self) -> Any:
        """The next `raw_messages.PublishRequest`; only to be called when `has_work`."""
        if not self._claimed:
            self._asked = True
            return self._opening()
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
                request.failure.CopyFrom(WireFailure(reason=self._ending.reason, message=self._ending.message))
        return request

    def receive(self, response: PublishResponse) -> bool:
        """Takes the reply to a request; returns whether it made progress.

        Raises:
            StreamError: the log has events that were not sent from here.

        """
        if self._number is None:
            self._number, self._epoch, self._asked = response.publisher, response.epoch, False
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
        return self._append_stored(response)

    def _finished_error(self) -> StreamError:
        assert self.position is not None
        how = f"failed with {self.failure.reason}" if self.failure else "ended"
        remedy = BY_REASON["STREAM_FINISHED"]
        return StreamError(
            grpc.StatusCode.FAILED_PRECONDITION,
            f"{place(self._stream_id, self._server)} {how} at offset {self.position.offset}; {remedy}",
            reason="STREAM_FINISHED",
            metadata={"next_offset": str(self.position.offset)},
            stream_id=self._stream_id,
            server=self._server,
        )

    def _opening(self) -> Any:
        """The request that draws a number, or claims the stream with the one that was drawn."""
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

    def _append_stored(self, response: PublishResponse) -> bool:
        """Drops the events that the server has stored and, where they were sent again, compared."""
        assert self.position is not None
        if response.next_offset > self._sent:
            raise StreamError(
                grpc.StatusCode.DATA_LOSS,
                f"{place(self._stream_id, self._server)}: the server acknowledged {response.next_offset} events,"
                f" and {self._sent} were sent",
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
