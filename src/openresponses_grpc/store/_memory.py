"""The in-memory store, whose logs last as long as the process."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Final

from ._entry import Entry
from ._index import StreamIndex
from ._interface import Append, Batch, Check, End, Page, StoreLimits, StreamInfo
from ._rules import check_position, check_repeated, new_events, repeated_events
from ._segment import Segment, pieces
from ._shares import Shares
from ._times import Times, steady

EVENT_OVERHEAD: Final = 64
STREAM_OVERHEAD: Final = 1536
"""The bytes that an event and a stream count in addition to their own, for Python's overhead."""


class _Log(Entry):
    """A stream with its events."""

    def __init__(self, stream_id: str, now: float, tenant: str) -> None:
        super().__init__(stream_id, now, tenant)
        self.segment = Segment(0, 0)


class MemoryStore:
    """Keeps logs in memory.

    An open stream with a publisher is never dropped. A full store drops finished streams of the tenant furthest over
    its share, the oldest first, then abandoned ones; without such streams, it refuses appends.

    Args:
        limits: the limits; Python's overhead per event is estimated.
        clock: a steady clock in seconds, for durations.
        wall: the Unix time, for descriptions.

    """

    def __init__(
        self,
        limits: StoreLimits | None = None,
        *,
        clock: Callable[[], float] = steady,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._times = Times(clock, wall)
        self._index = StreamIndex[_Log](
            limits or StoreLimits(), self._times, event_overhead=EVENT_OVERHEAD, stream_overhead=STREAM_OVERHEAD
        )

    def divide(self, shares: Mapping[str, Shares]) -> None:
        self._index.divide(shares)

    @asynccontextmanager
    async def publishing(self, stream_id: str, epoch: int) -> AsyncIterator[None]:
        with self._index.publishing(self._index.get(stream_id, epoch)):
            yield

    def reading(self, stream_id: str) -> AbstractContextManager[None]:
        return self._index.reading(stream_id)

    async def append(self, append: Append) -> End:
        log = self._index.find(append.stream_id, append.epoch)
        if log is None:
            log = _Log(append.stream_id, self._times(), append.tenant)
        check_position(append.check, end=log.end, checksum_at=log.segment.checksum_at)
        log.owner, log.drawn = log.admit(append.publisher)
        if repeated := repeated_events(append, log.end):
            check_repeated(append, log.segment.events[append.first_offset :][: len(repeated)], end=log.end)
        finished = log.finished_at is not None
        events = new_events(append, end=log.end, finished=finished, failure=log.failure)
        if not finished and (events or append.end_of_stream or not log.stored):
            new = list(pieces(events, log.end, log.checksum))
            reservation = self._index.reserve(log, events, new[-1].after if new else log.checksum)
            for piece in new:
                log.segment.append(piece)
            self._index.commit(reservation, self._times(), finished=append.end_of_stream, failure=append.failure)
        return log.end_now(append.publisher)

    async def read(
        self,
        stream_id: str,
        start_offset: int,
        *,
        epoch: int | None,
        check: Check | None = None,
        must_exist: bool = False,
        max_bytes: int,
        timeout: float,
    ) -> Batch:
        if check:
            log = self._index.get(stream_id, epoch)
            check_position(check, end=log.end, checksum_at=log.segment.checksum_at)
        readable = self._index.readable
        found = await readable(stream_id, start_offset, epoch=epoch, must_exist=must_exist, timeout=timeout)
        if found is None:
            return Batch(start_offset)
        return found.batch(
            start_offset, found.segment.read(start_offset, max_bytes) if start_offset < found.end else None
        )

    async def info(self, stream_id: str) -> StreamInfo:
        self._times.check_wall()
        return self._index.info(self._index.get(stream_id), self._times.wall_at_0)

    async def list(self, page_size: int, page_token: str, visible: Callable[[str], bool]) -> Page:
        self._times.check_wall()
        return self._index.page(page_size, page_token, visible, self._times.wall_at_0)

    async def delete(self, stream_id: str, epoch: int | None) -> None:
        self._index.drop(self._index.get(stream_id, epoch))

    async def check(self) -> None:
        pass
