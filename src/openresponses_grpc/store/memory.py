"""The store that keeps its logs in memory: they survive the clients, and end with the process."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from .errors import StoreFullError, StreamNotFoundError
from .interface import Batch, Position, StoreLimits
from .rules import abandoned, check_epoch, check_past_end, check_size, new_events

EVENT_OVERHEAD: Final = 48
STREAM_OVERHEAD: Final = 1024
"""Bytes that an event and a stream are counted with beside their own, for what Python keeps with them."""


class _Log:
    """The log of one stream."""

    def __init__(self) -> None:
        self.epoch = secrets.randbits(63) or 1
        self.events: list[bytes] = []
        self.bytes = 0
        self.finished_at: float | None = None
        self.publishers = 0
        self.left_at: float | None = None

    @property
    def end(self) -> int:
        return len(self.events)

    @property
    def size(self) -> int:
        """Bytes of memory, estimated."""
        return STREAM_OVERHEAD + EVENT_OVERHEAD * len(self.events) + self.bytes


class MemoryStore:
    """Logs in memory.

    An event of a stream that is still published is never dropped. When the memory is full, finished streams go, the
    one that finished first before the others, then abandoned ones; when there are none, appending is refused.

    Args:
        limits: of its memory, where what Python keeps beside an event is estimated, and of its times.
        clock: the time in seconds, from any point on.

    """

    def __init__(self, limits: StoreLimits | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits or StoreLimits()
        self._clock = clock
        self._logs: dict[str, _Log] = {}
        self._finished: dict[str, float] = {}  # when each finished, the first one first
        self._size = 0
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def publishing(self, stream_id: str) -> AsyncIterator[None]:
        log = self._find(stream_id, None) or self._create(stream_id)
        log.publishers += 1
        try:
            yield
        finally:
            log.publishers -= 1
            log.left_at = self._clock()
            self._wake(stream_id)

    async def append(
        self,
        stream_id: str,
        events: Sequence[bytes],
        *,
        first_offset: int | None = None,
        end_of_stream: bool = False,
        epoch: int | None = None,
    ) -> Position:
        log = self._find(stream_id, epoch) or self._create(stream_id)
        events = new_events(
            events,
            end=log.end,
            finished=log.finished_at is not None,
            first_offset=first_offset,
            end_of_stream=end_of_stream,
        )
        if log.finished_at is None and (events or end_of_stream):
            self._extend(stream_id, log, events)
            if end_of_stream:
                log.finished_at = self._finished[stream_id] = self._clock()
            self._wake(stream_id)
        return Position(log.end, log.epoch)

    async def read(
        self, stream_id: str, start_offset: int, *, epoch: int | None, max_bytes: int, timeout: float
    ) -> Batch:
        deadline = self._clock() + timeout
        while True:
            log = self._find(stream_id, epoch)
            now = self._clock()
            wait_until = deadline
            if log is not None:
                if start_offset < log.end or (start_offset == log.end and log.finished_at is not None):
                    return _batch(log, start_offset, max_bytes)
                check_past_end(start_offset, end=log.end, finished=log.finished_at is not None)
                abandoned_at = self._abandoned_at(log)
                if abandoned_at <= now:
                    raise abandoned(log.end, self._limits.abandon_after)
                wait_until = min(deadline, abandoned_at)
            if now >= deadline:
                return Batch(start_offset, (), end_of_stream=False, epoch=log.epoch if log else 0)
            await self._changed(stream_id, wait_until - now)

    def _find(self, stream_id: str, epoch: int | None) -> _Log | None:
        self._expire()
        log = self._logs.get(stream_id)
        check_epoch(log.epoch if log else None, epoch)
        return log

    def _create(self, stream_id: str) -> _Log:
        self._make_room(STREAM_OVERHEAD, streams=1)
        log = self._logs[stream_id] = _Log()
        log.left_at = self._clock()
        self._size += log.size
        return log

    def _extend(self, stream_id: str, log: _Log, events: Sequence[bytes]) -> None:
        size = sum(map(len, events))
        check_size(log.bytes + size, self._limits.max_stream_bytes)
        self._make_room(size + EVENT_OVERHEAD * len(events))
        if self._logs.get(stream_id) is not log:
            raise StreamNotFoundError("the stream does not exist any more")
        self._size -= log.size
        log.events += events
        log.bytes += size
        self._size += log.size

    def _expire(self) -> None:
        expired_before = self._clock() - self._limits.keep_finished
        while self._finished:
            stream_id, finished_at = next(iter(self._finished.items()))
            if finished_at > expired_before:
                return
            self._drop(stream_id)

    def _make_room(self, size: int, streams: int = 0) -> None:
        limits = self._limits
        if size > limits.max_bytes:
            raise StoreFullError(f"the events need {size} bytes, and the whole store has {limits.max_bytes}")
        while self._size + size > limits.max_bytes or len(self._logs) + streams > limits.max_streams:
            stream_id = next(iter(self._finished), None) or self._oldest_abandoned()
            if stream_id is None:
                raise StoreFullError(
                    f"the store is full: it has {len(self._logs)} live streams of at most {limits.max_streams},"
                    f" with {self._size} of at most {limits.max_bytes} bytes"
                )
            self._drop(stream_id)

    def _abandoned_at(self, log: _Log) -> float:
        return float("inf") if log.publishers or log.left_at is None else log.left_at + self._limits.abandon_after

    def _oldest_abandoned(self) -> str | None:
        stream_id = min(self._logs, key=lambda stream_id: self._abandoned_at(self._logs[stream_id]), default=None)
        if stream_id is None or self._abandoned_at(self._logs[stream_id]) > self._clock():
            return None
        return stream_id

    def _drop(self, stream_id: str) -> None:
        self._size -= self._logs.pop(stream_id).size
        self._finished.pop(stream_id, None)
        self._wake(stream_id)

    def _wake(self, stream_id: str) -> None:
        for future in self._waiting.get(stream_id, ()):
            if not future.done():
                future.set_result(None)

    async def _changed(self, stream_id: str, timeout: float) -> None:
        future = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(stream_id, set())
        waiting.add(future)
        try:
            await asyncio.wait((future,), timeout=timeout)
        finally:
            waiting.discard(future)
            if not waiting and self._waiting.get(stream_id) is waiting:
                del self._waiting[stream_id]


def _batch(log: _Log, start: int, max_bytes: int) -> Batch:
    stop = start
    size = 0
    while stop < log.end:
        size += len(log.events[stop])
        if size > max_bytes and stop > start:
            break
        stop += 1
    end_of_stream = log.finished_at is not None and stop == log.end
    return Batch(start, log.events[start:stop], end_of_stream, log.epoch)
