"""Reads a stream for one request."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Final, NamedTuple

from ..client import AsyncEventStreamClient, StreamError, StreamFailedError
from ..position import Position
from ._errors import RequestError
from ._query import Query
from ._search import Search

_JUMP_SECONDS: Final = 1.0
"""Seconds to wait for an event at the offset of a jump, before the search falls back to the events in between."""


class Batch(NamedTuple):
    """Events that were ready.

    Attributes:
        events: serialized events; empty at the end of a complete stream.
        after: position after them; None if unknown.

    """

    events: Sequence[bytes]
    after: Position | None


class StreamReader:
    """Reads a stream from the start that a request specifies. Cancelling `read`, such as by a timeout, loses no events.

    Args:
        client: client with the token of the request.
        stream_id: id of the stream, which must exist.
        query: parameters of the request.

    """

    def __init__(self, client: AsyncEventStreamClient, stream_id: str, query: Query) -> None:
        self._subscribe = partial(client.subscribe_serialized, stream_id, must_exist=True)
        self._subscription = self._subscribe(position=query.position)
        after = None if query.position else query.starting_after
        self._search = None if after is None else Search(after)
        self._trimmed: StreamError | None = None

    @property
    def position(self) -> Position | None:
        """The position after the events read; None until the server has sent the epoch."""
        return self._subscription.position

    async def read(self) -> Batch:
        """Waits for the next events.

        Raises:
            StreamError: the stream can no longer be read; StreamFailedError at the end of a failed stream.
            RequestError: no event has the requested sequence number or a higher one.

        """
        while self._search:
            if (batch := await self._search_next(self._search)) is not None:
                return batch
        return Batch(await self._subscription.batch(), self._subscription.position)

    async def close(self) -> None:
        """Closes the subscription."""
        await self._subscription.aclose()

    async def _search_next(self, search: Search) -> Batch | None:
        """Searches the next events for the sequence number. Once it is found, returns the events after it."""
        try:
            async with asyncio.timeout(_JUMP_SECONDS if search.jumped else None):
                events = await self._subscription.batch()
        except TimeoutError:
            if not search.jumped:
                raise  # the caller's timeout
            await self._seek(search.undo_jump())
            return None
        except StreamFailedError:
            raise  # the publisher chose its reason, which may equal one of those below
        except StreamError as error:
            if search.jumped and error.reason == "OFFSET_OUT_OF_RANGE":
                await self._seek(search.undo_jump())
            elif error.reason == "OFFSET_TRIMMED" and not self._trimmed:
                self._trimmed = error
                await self._seek(int(error.metadata["oldest_offset"]))
            else:
                raise
            return None
        after = self._subscription.position
        if not events:
            raise RequestError(
                "no event of the stream has this sequence number or a higher one", "starting_after", "OUT_OF_RANGE"
            )
        assert after is not None
        first = after.offset - len(events)
        search.scan(events, first)
        if search.found is None:
            if search.next_offset != after.offset:
                await self._seek(search.next_offset)
            return None
        if self._trimmed and search.found == int(self._trimmed.metadata["oldest_offset"]):
            raise self._trimmed  # events between the number and the oldest event may have been trimmed
        self._search = None
        if search.found < first:
            await self._seek(search.found)
            return None
        events = events[search.found - first :]
        return Batch(events, after) if events else None

    async def _seek(self, offset: int) -> None:
        """Continues at another offset of the same log."""
        previous, position = self._subscription, self._subscription.position
        if position is None:
            self._subscription = self._subscribe(start_offset=offset)
        else:
            self._subscription = self._subscribe(position=position._replace(offset=offset))
        await previous.aclose()


async def wait_for_stream(client: AsyncEventStreamClient, stream_id: str, seconds: float) -> None:
    """Waits until a stream exists, for at most the given time."""
    async with client.subscribe_serialized(stream_id) as subscription:
        with suppress(TimeoutError, StreamError):
            async with asyncio.timeout(seconds):
                await subscription.batch()
