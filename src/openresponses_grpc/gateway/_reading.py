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
"""How long a search waits for the offset that it has jumped to, before it looks at the events in between."""


class Batch(NamedTuple):
    """Events that were ready.

    Attributes:
        events: the serialized events; empty at the end of a complete stream.
        after: the position behind them; None if it is not known.

    """

    events: Sequence[bytes]
    after: Position | None


class StreamReader:
    """Reads a stream from where a request asks. `read` may be cancelled, by a timeout, and loses nothing.

    Args:
        client: the client, with the token of the request.
        stream_id: the stream, which must exist.
        query: the request.

    """

    def __init__(self, client: AsyncEventStreamClient, stream_id: str, query: Query) -> None:
        self._subscribe = partial(client.subscribe_serialized, stream_id, must_exist=True)
        self._subscription = self._subscribe(position=query.position)
        after = None if query.position else query.starting_after
        self._search = None if after is None else Search(after)
        self._trimmed: StreamError | None = None

    @property
    def position(self) -> Position | None:
        """The position behind the events read; None before the server has named the epoch."""
        return self._subscription.position

    async def read(self) -> Batch:
        """Waits for the next events.

        Raises:
            StreamError: the stream cannot be read any further; StreamFailedError at the end of one that failed.
            RequestError: no event has the sequence number asked for.

        """
        while self._search:
            if (batch := await self._look(self._search)) is not None:
                return batch
        return Batch(await self._subscription.batch(), self._subscription.position)

    async def close(self) -> None:
        """Ends the call."""
        await self._subscription.aclose()

    async def _look(self, search: Search) -> Batch | None:
        """Looks at the next events for the sequence number; returns those after it, once it is found."""
        try:
            async with asyncio.timeout(_JUMP_SECONDS if search.jumped else None):
                events = await self._subscription.batch()
        except TimeoutError:
            if not search.jumped:
                raise  # it is the caller's
            await self._go_to(search.back())
            return None
        except StreamFailedError:
            raise  # its reason is the publisher's
        except StreamError as error:
            if search.jumped and error.reason == "OFFSET_OUT_OF_RANGE":
                await self._go_to(search.back())
            elif error.reason == "OFFSET_TRIMMED" and not self._trimmed:
                self._trimmed = error
                await self._go_to(int(error.metadata["oldest_offset"]))
            else:
                raise
            return None
        after = self._subscription.position
        if not events:
            raise RequestError(
                "no event of the stream has this sequence number or a greater one", "starting_after", "OUT_OF_RANGE"
            )
        assert after is not None
        first = after.offset - len(events)
        search.look(events, first)
        if search.found is None:
            if search.next_offset != after.offset:
                await self._go_to(search.next_offset)
            return None
        if self._trimmed and search.found == int(self._trimmed.metadata["oldest_offset"]):
            raise self._trimmed  # there may have been events between the number and the oldest event
        self._search = None
        if search.found < first:
            await self._go_to(search.found)
            return None
        events = events[search.found - first :]
        return Batch(events, after) if events else None

    async def _go_to(self, offset: int) -> None:
        """Continues at another offset of the same log."""
        left, position = self._subscription, self._subscription.position
        if position is None:
            self._subscription = self._subscribe(start_offset=offset)
        else:
            self._subscription = self._subscribe(position=position._replace(offset=offset))
        await left.aclose()


async def until_it_exists(client: AsyncEventStreamClient, stream_id: str, seconds: float) -> None:
    """Waits until a stream exists, or until the time is over."""
    async with client.subscribe_serialized(stream_id) as subscription:
        with suppress(TimeoutError, StreamError):
            async with asyncio.timeout(seconds):
                await subscription.batch()
