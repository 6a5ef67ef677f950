"""A subscriber's place in a stream. Pure: no I/O, no clock."""

from __future__ import annotations

from collections import deque
from typing import Any

import grpc

from openresponses_grpc.v1.stream_service_pb2 import SubscribeRequest

from ..codec._checksum import checksum
from ..position import Position
from ._errors import StreamError, StreamFailedError, place


class Cursor:
    """The events that a subscriber has received and not handed out yet, and its position behind those handed out.

    Args:
        stream_id: the stream.
        server: the server, for errors.
        start_offset: the offset of the first event wanted, without a position.
        position: where to resume, or its string form.
        must_exist: whether a stream that does not exist is an error.

    Attributes:
        stream_id: the stream.
        events: the events received and not handed out.
        next_offset: the offset after them.
        end_of_stream: whether the stream ends after them.

    Raises:
        ValueError: the offset is negative, the string is not a position, or there are an offset and a position.

    """

    def __init__(
        self,
        stream_id: str,
        server: str,
        *,
        start_offset: int = 0,
        position: Position | str | None = None,
        must_exist: bool = False,
    ) -> None:
        if position is not None and start_offset:
            raise ValueError("give a start_offset or a position, not both")
        if start_offset < 0:
            raise ValueError(f"start_offset is 0 or more, not {start_offset}")
        if isinstance(position, str):
            position = Position.parse(position)
        self.stream_id = stream_id
        self.events: deque[bytes] = deque()
        self.next_offset = start_offset if position is None else position.offset
        self.end_of_stream = False
        self._server = server
        self._must_exist = must_exist
        self._epoch = position.epoch if position else None
        self._checked_offset = position.checked_offset if position else None
        self._checksum = position.checksum if position else None
        self._failure: Any = None

    @property
    def position(self) -> Position | None:
        """The position behind the events handed out; None before the epoch is known."""
        if self._epoch is None:
            return None
        return Position(self._epoch, self.next_offset - len(self.events), self._checked_offset, self._checksum)

    def request(self) -> SubscribeRequest:
        """The request for the events that follow."""
        return SubscribeRequest(
            stream_id=self.stream_id,
            start_offset=self.next_offset,
            epoch=self._epoch,
            checked_offset=self._checked_offset,
            checksum=self._checksum,
            must_exist=self._must_exist,
        )

    def advance(self, response: Any) -> None:
        """Takes the events of a `wire.SubscribeResponse`.

        Raises:
            StreamError: DATA_LOSS: the response does not begin at the next offset, or its checksum is not that of the
                events.

        """
        if response.first_offset != self.next_offset:
            raise self._data_loss(f"the server continued at offset {response.first_offset}")
        after = self.next_offset + len(response.events)
        if response.HasField("checksum"):
            self._verify(response, after)
            self._checked_offset, self._checksum = response.checked_offset, response.checksum
        self._epoch = response.epoch or self._epoch
        self.next_offset = after
        self.events.extend(response.events)
        self.end_of_stream = response.end_of_stream
        if response.HasField("failure"):
            self._failure = response.failure

    def failure(self) -> StreamFailedError | None:
        """The error for a stream that has ended in failure; None for one that has not."""
        failure = self._failure
        if failure is None:
            return None
        return StreamFailedError(self.stream_id, self._server, self.next_offset, failure.reason, failure.message)

    def _verify(self, response: Any, after: int) -> None:
        """Compares the checksum, where the one before the events is known."""
        if response.checked_offset != after:
            raise self._data_loss(f"the checksum belongs to offset {response.checked_offset} instead of {after}")
        before = self._checksum if self._checked_offset == self.next_offset else None
        if self.next_offset == 0:
            before = 0
        if before is not None and checksum(response.events, before) != response.checksum:
            raise self._data_loss(f"the events before offset {after} were damaged: they have another checksum")

    def _data_loss(self, problem: str) -> StreamError:
        return StreamError(
            grpc.StatusCode.DATA_LOSS,
            f"{place(self.stream_id, self._server, self.next_offset)}: {problem}",
            reason="DATA_LOSS",
            stream_id=self.stream_id,
            server=self._server,
        )
