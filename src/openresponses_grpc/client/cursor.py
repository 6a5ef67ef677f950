"""Where a subscriber stands in a stream. Pure: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc

from openresponses_grpc.v1.stream_service_pb2 import SubscribeRequest

from .errors import StreamError


class Cursor:
    """A subscriber's position.

    Attributes:
        next_offset: the offset of the next event.
        end_of_stream: whether the stream has ended before `next_offset`.

    """

    def __init__(self, stream_id: str, start_offset: int) -> None:
        if start_offset < 0:
            raise ValueError(f"start_offset is 0 or more, not {start_offset}")
        self.next_offset = start_offset
        self.end_of_stream = False
        self._stream_id = stream_id
        self._epoch: int | None = None

    def request(self) -> SubscribeRequest:
        """The request that goes on from here."""
        return SubscribeRequest(stream_id=self._stream_id, start_offset=self.next_offset, epoch=self._epoch)

    def advance(self, response: Any) -> Sequence[bytes]:
        """Moves past the events of a `wire.SubscribeResponse` and returns them.

        Raises:
            StreamError: the response does not begin where the last one ended.

        """
        if response.first_offset != self.next_offset:
            raise StreamError(
                grpc.StatusCode.DATA_LOSS,
                f"the server went on at offset {response.first_offset} instead of {self.next_offset}",
            )
        self._epoch = response.epoch or self._epoch
        self.next_offset += len(response.events)
        self.end_of_stream = response.end_of_stream
        events: Sequence[bytes] = response.events
        return events
