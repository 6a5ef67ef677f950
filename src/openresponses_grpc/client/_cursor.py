"""A subscriber's cursor in a stream. Pure: no I/O, no clock."""

from __future__ import annotations

from collections import deque
from typing import Any

import grpc

from openresponses_grpc.v1.stream_service_pb2 import SubscribeRequest

from ..codec._checksum import checksum
from ..position import Position
from ._errors import StreamError, StreamFailedError, location


class Cursor:
    """Buffers received events, and tracks the position after the last event that the user has consumed.

    Args:
        stream_id: id of the stream.
        server: server address, for error messages.
        start_offset: offset of the first event, if `position` is None.
        position: position to resume at, or its string form.
        must_exist: whether a missing stream is an error.

    Attributes:
        stream_id: id of the stream.
        events: received events that the user has not consumed. The user removes them from the left.
        next_offset: offset after the buffered events.
        end_of_stream: whether the stream ends after the buffered events.

    Raises:
        ValueError: the offset is negative, the position is malformed, or both are given.

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
            raise ValueError("pass either start_offset or position, not both")
        if start_offset < 0:
            raise ValueError(f"start_offset must be 0 or more, not {start_offset}")
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
        """The position after the consumed events; None until the epoch is known."""
        if self._epoch is None:
            return None
        return Position(self._epoch, self.next_offset - len(self.events), self._checked_offset, self._checksum)

    def request(self) -> SubscribeRequest:
        """Returns the request for the events after the buffered ones."""
        return SubscribeRequest(
            stream_id=self.stream_id,
            start_offset=self.next_offset,
            epoch=self._epoch,
            checked_offset=self._checked_offset,
            checksum=self._checksum,
            must_exist=self._must_exist,
        )

    def advance(self, response: Any) -> None:
        """Buffers the events of a `raw_messages.SubscribeResponse`.

        Raises:
            StreamError: DATA_LOSS, if the response does not start at the next offset or its checksum does not match.

        """
        if response.first_offset != self.next_offset:
            raise self._data_loss(f"the server continued at offset {response.first_offset} instead")
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
        """Returns the error of a stream that ended in failure, or None."""
        failure = self._failure
        if failure is None:
            return None
        return StreamFailedError(self.stream_id, self._server, self.next_offset, failure.reason, failure.message)

    def _verify(self, response: Any, after: int) -> None:
        """Verifies the checksum if the one before these events is known."""
        if response.checked_offset != after:
            raise self._data_loss(f"the checksum is for offset {response.checked_offset} instead of {after}")
        before = self._checksum if self._checked_offset == self.next_offset else None
        if self.next_offset == 0:
            before = 0
        if before is not None and checksum(response.events, before) != response.checksum:
            raise self._data_loss(f"the events before offset {after} are damaged: their checksum does not match")

    def _data_loss(self, problem: str) -> StreamError:
        return StreamError(
            grpc.StatusCode.DATA_LOSS,
            f"{location(self.stream_id, self._server, self.next_offset)}: {problem}",
            reason="DATA_LOSS",
            stream_id=self.stream_id,
            server=self._server,
        )
