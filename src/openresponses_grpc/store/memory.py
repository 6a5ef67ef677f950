"""The store that keeps its logs in memory: they survive the clients, and end with the process."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from .interface import Batch, Position, StoreLimits
from .ledger import Entry, Ledger
from .rules import new_events, take

EVENT_OVERHEAD: Final = 48
STREAM_OVERHEAD: Final = 1024
"""Bytes that an event and a stream are counted with beside their own, for what Python keeps with them."""


class _Log(Entry):
    """The log of one stream."""

    def __init__(self, stream_id: str) -> None:
        super().__init__(stream_id)
        self.events: list[bytes] = []


class MemoryStore:
    """Logs in memory.

    An event of a stream that is still published is never dropped. When the memory is full, finished streams go, the
    one that finished first before the others, then abandoned ones; when there are none, appending is refused.

    Args:
        limits: of its memory, where what Python keeps beside an event is estimated, and of its times.
        clock: the time in seconds, from any point on.

    """

    def __init__(self, limits: StoreLimits | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ledger = Ledger[_Log](
            limits or StoreLimits(), clock, event_overhead=EVENT_OVERHEAD, stream_overhead=STREAM_OVERHEAD
        )

    @asynccontextmanager
    async def publishing(self, stream_id: str) -> AsyncIterator[None]:
        log = self._ledger.find(stream_id, None)
        if log is None:
            log = _Log(stream_id)
            self._ledger.commit(self._ledger.reserve(log, ()), None)
        with self._ledger.publishing(log):
            yield

    async def append(
        self,
        stream_id: str,
        events: Sequence[bytes],
        *,
        first_offset: int | None = None,
        end_of_stream: bool = False,
        epoch: int | None = None,
    ) -> Position:
        log = self._ledger.find(stream_id, epoch) or _Log(stream_id)
        events = new_events(
            events,
            end=log.end,
            finished=log.finished_at is not None,
            first_offset=first_offset,
            end_of_stream=end_of_stream,
        )
        if log.finished_at is None and (events or end_of_stream or not log.stored):
            claim = self._ledger.reserve(log, events)
            log.events += events
            self._ledger.commit(claim, self._clock() if end_of_stream else None)
        return Position(log.end, log.epoch)

    async def read(
        self, stream_id: str, start_offset: int, *, epoch: int | None, max_bytes: int, timeout: float
    ) -> Batch:
        log = await self._ledger.readable(stream_id, start_offset, epoch=epoch, timeout=timeout)
        if log is None:
            return Batch(start_offset, (), end_of_stream=False, epoch=0, end=0)
        events = take(log.events, start_offset, max_bytes)
        end_of_stream = log.finished_at is not None and start_offset + len(events) == log.end
        return Batch(start_offset, events, end_of_stream, log.epoch, log.end)
