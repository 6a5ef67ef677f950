"""The index of the streams in a store of one process: their state, their publishers, and their waiting readers."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import Generic, NamedTuple, TypeVar

from ._capacity import Capacity
from ._entry import Entry
from ._errors import StoreFullError
from ._interface import Failure, Page, State, StoreLimits, StreamInfo
from ._queue import Queue
from ._rules import abandoned, check_epoch, check_past_end, check_size, not_found, reader_retention
from ._shares import Shares

E = TypeVar("E", bound=Entry)


class Reservation(NamedTuple, Generic[E]):
    """Capacity reserved for events that are not stored yet.

    Attributes:
        events: the number of events.
        bytes: their bytes.
        checksum: the checksum of the stream after them.
        size: the bytes reserved, overhead included.

    """

    entry: E
    events: int
    bytes: int
    checksum: int
    size: int


class StreamIndex(Generic[E]):
    """The streams by id. No I/O; all calls must come from one event loop.

    Events are stored in two steps: `reserve` makes room for them, then `commit` or `cancel` reports the outcome.
    Readers see committed events only. An open stream is not dropped between the two steps, nor while it has publishers.

    Streams are dropped when they expire: `retention` after they ended or were abandoned, or later while they have
    readers, up to a limit. When the store is full, streams of the tenant furthest over its share are evicted: first
    expired ones that still have readers, then finished ones, the oldest first, then abandoned ones. A stream within its
    tenant's share is never evicted for another tenant.

    Args:
        limits: the limits of the store.
        clock: returns the time in seconds.
        event_overhead: the bytes that an event counts in addition to its own.
        stream_overhead: the bytes that a stream counts in addition to its events.
        dropped: called with each dropped stream.

    """

    def __init__(
        self,
        limits: StoreLimits,
        clock: Callable[[], float],
        *,
        event_overhead: int,
        stream_overhead: int,
        dropped: Callable[[E], None] = lambda _: None,
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._event_overhead = event_overhead
        self._stream_overhead = stream_overhead
        self._dropped = dropped
        self._entries: dict[str, E] = {}
        self._finished = Queue[E]()  # by the time of their end
        self._left = Queue[E]()  # open, without publishers, by the time at which the last one left
        self._expired = Queue[E]()  # kept for their readers
        self._readers: Counter[str] = Counter()
        self._capacity = Capacity(limits)
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}

    def load(self, entry: E) -> None:
        """Adds a stored stream when the store is opened. Add finished streams in the order in which they ended."""
        entry.stored = True
        entry.left_at = self._clock()
        self._entries[entry.stream_id] = entry
        self._capacity.hold(entry.tenant, self._size(entry), 1)
        if entry.finished_at is None:
            self._left.add(entry)
        else:
            self._capacity.make_evictable(entry.tenant, self._size(entry))
            self._finished.add(entry)

    def divide(self, shares: Mapping[str, Shares]) -> None:
        """Divides the capacity among tenants; raises SharesError."""
        self._capacity.divide(shares)

    def get(self, stream_id: str, epoch: int | None = None) -> E:
        """Returns a stream; raises StreamNotFoundError, and EpochMismatchError if it has another epoch."""
        entry = self.find(stream_id, epoch)
        if entry is None:
            raise not_found()
        return entry

    def find(self, stream_id: str, epoch: int | None) -> E | None:
        """Like `get`, but without an epoch it returns None for a stream that does not exist."""
        self.expire()
        entry = self._entries.get(stream_id)
        if entry is not None and not entry.stored:
            entry = None
        check_epoch(entry.epoch if entry else None, epoch)
        return entry

    def holds(self, entry: E) -> bool:
        """Whether the index still has the stream."""
        return self._entries.get(entry.stream_id) is entry

    @contextmanager
    def publishing(self, entry: E) -> Iterator[None]:
        """Counts a publisher of the stream while the context is open."""
        self._join(entry)
        try:
            yield
        finally:
            self._leave(entry)

    @contextmanager
    def reading(self, stream_id: str) -> Iterator[None]:
        """Counts a reader of the stream while the context is open."""
        self._readers[stream_id] += 1
        try:
            yield
        finally:
            self._readers[stream_id] -= 1
            if not self._readers[stream_id]:
                del self._readers[stream_id]
                entry = self._entries.get(stream_id)
                if entry is not None and entry in self._expired:
                    self.drop(entry)

    def reserve(self, entry: E, events: Sequence[bytes], checksum: int) -> Reservation[E]:
        """Reserves capacity for events of an open stream, and for the stream itself if it is new.

        Args:
            entry: the stream.
            events: the events.
            checksum: the checksum of the stream after them.

        """
        size = sum(map(len, events))
        check_size(entry.bytes + size, self._limits.max_stream_bytes)
        reservation = Reservation(entry, len(events), size, checksum, size + self._event_overhead * len(events))
        if not entry.stored:
            reservation = reservation._replace(size=reservation.size + self._stream_overhead)
        self._join(entry)  # first, so that the stream is not evicted for its own events
        try:
            self._make_room(entry.tenant, reservation.size, streams=0 if entry.stored else 1)
        except StoreFullError:
            self._leave(entry)
            raise
        self._entries[entry.stream_id] = entry
        self._capacity.hold(entry.tenant, reservation.size, 0 if entry.stored else 1)
        return reservation

    def commit(self, reservation: Reservation[E], now: float, *, finished: bool, failure: Failure | None) -> None:
        """Adds the stored events to the stream, and ends it if `finished`."""
        entry = reservation.entry
        entry.stored = True
        entry.end += reservation.events
        entry.bytes += reservation.bytes
        entry.checksum = reservation.checksum
        entry.updated_at = now
        if finished:
            entry.finished_at, entry.failure = now, failure
            self._finished.add(entry)
            self._capacity.make_evictable(entry.tenant, self._size(entry))
        self._leave(entry)

    def cancel(self, reservation: Reservation[E]) -> None:
        """Frees the reserved capacity: the events were not stored."""
        entry = reservation.entry
        self._capacity.free(entry.tenant, reservation.size, 0 if entry.stored else 1, held=True)
        if not entry.stored:
            del self._entries[entry.stream_id]
        self._leave(entry)

    def expire(self) -> None:
        """Drops the expired streams."""
        now = self._clock()
        kept_since = now - self._limits.retention
        for streams in (self._finished, self._left):
            while (entry := streams.first()) and self._retained_from(entry) <= kept_since:
                if self._readers[entry.stream_id]:
                    streams.discard(entry)
                    self._expired.add(entry)
                else:
                    self.drop(entry)
        kept_since = now - reader_retention(self._limits.retention)
        while (entry := self._expired.first()) and self._retained_from(entry) <= kept_since:
            self.drop(entry)

    def drop(self, entry: E) -> None:
        """Drops a stream in any state; it must not have a reservation."""
        del self._entries[entry.stream_id]
        for streams in (self._finished, self._left, self._expired):
            streams.discard(entry)
        self._capacity.free(entry.tenant, self._size(entry), 1, held=entry.finished_at is None)
        self._dropped(entry)
        self._wake(entry.stream_id)

    def info(self, entry: E, time_at_0: float) -> StreamInfo:
        """Describes a stream; `time_at_0` is the Unix time at which the index's clock was 0."""
        if entry.finished_at is not None:
            state = State.FAILED if entry.failure else State.COMPLETE
        else:
            state = State.ABANDONED if self._abandoned_at(entry) <= self._clock() else State.OPEN
        expires_at = time_at_0 + self._retained_from(entry) + self._limits.retention
        return StreamInfo(
            stream_id=entry.stream_id,
            epoch=entry.epoch,
            state=state,
            failure=entry.failure,
            first_offset=0,
            next_offset=entry.end,
            event_bytes=entry.bytes,
            created_at=time_at_0 + entry.created_at,
            updated_at=time_at_0 + entry.updated_at,
            expires_at=None if state is State.OPEN else expires_at,
        )

    def page(self, page_size: int, page_token: str, visible: Callable[[str], bool], time_at_0: float) -> Page:
        """Returns a page of the streams, sorted by id. A page token is the last id of the previous page."""
        self.expire()
        later = (e for e in self._entries.values() if e.stream_id > page_token and e.stored and visible(e.stream_id))
        entries = heapq.nsmallest(page_size + 1, later, key=attrgetter("stream_id"))
        streams = [self.info(entry, time_at_0) for entry in entries[:page_size]]
        return Page(streams, streams[-1].stream_id if len(entries) > page_size else "")

    async def readable(
        self, stream_id: str, start_offset: int, *, epoch: int | None, must_exist: bool, timeout: float
    ) -> E | None:
        """Waits up to `timeout` seconds until a stream has an event at an offset or has ended there.

        Returns the stream in its state by then; None if it does not exist yet.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            entry = self.get(stream_id, epoch) if must_exist else self.find(stream_id, epoch)
            wait = deadline - loop.time()
            if entry is not None:
                epoch = entry.epoch  # do not wait for a later stream with the same id
                finished = entry.finished_at is not None
                if start_offset < entry.end or (start_offset == entry.end and finished):
                    return entry
                check_past_end(start_offset, end=entry.end, finished=finished)
                until_abandoned = self._abandoned_at(entry) - self._clock()
                if until_abandoned <= 0:
                    raise abandoned(entry.end, self._limits.abandon_after)
                wait = min(wait, until_abandoned)
            if wait <= 0:
                return entry
            await self._changed(stream_id, wait)

    def _size(self, entry: E) -> int:
        return self._stream_overhead + self._event_overhead * entry.end + entry.bytes

    def _abandoned_at(self, entry: E) -> float:
        return float("inf") if entry.publishers else entry.left_at + self._limits.abandon_after

    def _retained_from(self, entry: E) -> float:
        """The time at which the retention begins."""
        return self._abandoned_at(entry) if entry.finished_at is None else entry.finished_at

    def _join(self, entry: E) -> None:
        entry.publishers += 1
        self._left.discard(entry)
        if entry.finished_at is None:  # a finished stream stays expired
            self._expired.discard(entry)

    def _leave(self, entry: E) -> None:
        entry.publishers -= 1
        entry.left_at = self._clock()
        if not entry.publishers and entry.finished_at is None and self.holds(entry):
            self._left.add(entry)
        self._wake(entry.stream_id)

    def _make_room(self, tenant: str, size: int, streams: int) -> None:
        capacity = self._capacity
        if size > capacity.bytes.limit:
            raise StoreFullError(f"the events need {size} bytes, more than the store's {capacity.bytes.limit}")
        pools = ((capacity.bytes, size), (capacity.streams, streams)) if streams else ((capacity.bytes, size),)
        for pool, amount in pools:
            # An abandoned stream counts as held until it is dropped: its publisher may come back.
            while not pool.may_hold(tenant, amount):
                tenants = self._left.tenants() | self._expired.tenants()
                abandoned = [each for each in tenants if self._first_abandoned(each)]
                self._evict(pool.victim(abandoned, tenant, amount, held=True), self._first_abandoned, tenant)
            while not pool.has_room(amount):
                tenants = self._expired.tenants() | self._finished.tenants() | self._left.tenants()
                evictable = [each for each in tenants if self._first_evictable(each)]
                self._evict(pool.victim(evictable, tenant, amount), self._first_evictable, tenant)

    def _evict(self, victim: str | None, first: Callable[[str], E | None], tenant: str) -> None:
        """Drops the victim's first stream; without a victim, refuses the tenant that needs the capacity."""
        entry = None if victim is None else first(victim)
        if entry is None:
            raise self._capacity.refusal(tenant)
        self.drop(entry)

    def _first_evictable(self, tenant: str) -> E | None:
        return self._expired.first(tenant) or self._finished.first(tenant) or self._first_abandoned(tenant)

    def _first_abandoned(self, tenant: str) -> E | None:
        expired = (entry for entry in self._expired.streams(tenant) if entry.finished_at is None)
        entry = next(expired, None) or self._left.first(tenant)
        return entry if entry and self._abandoned_at(entry) <= self._clock() else None

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
