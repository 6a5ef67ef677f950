"""The account of the streams of one process: their ends, their publishers, their waiting readers, and the room left."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import Generic, NamedTuple, TypeVar

from ._entry import Entry
from ._errors import StoreFullError
from ._interface import Failure, Page, State, StoreLimits, StreamInfo
from ._queue import Queue
from ._room import Room
from ._rules import abandoned, check_epoch, check_past_end, check_size, not_found, read_on
from ._shares import Shares

E = TypeVar("E", bound=Entry)


class Claim(NamedTuple, Generic[E]):
    """Room that is taken for events which are not stored yet.

    Attributes:
        events: how many there are.
        bytes: of these.
        checksum: the stream's checksum after them.
        size: bytes that they and, where it is new, the stream are counted with.

    """

    entry: E
    events: int
    bytes: int
    checksum: int
    size: int


class StreamIndex(Generic[E]):
    """The streams, by their ids. No I/O; it belongs to one event loop.

    An event is stored in two steps: `reserve` makes room for it, then `commit` or `cancel` says how storing it went.
    Readers see what is committed. Between the two steps, and while it has publishers, an unfinished stream is not
    dropped.

    Streams are dropped when they are too old: finished ones after `retention`, and unfinished ones as long after
    they were abandoned. Those that somebody reads then are kept for as long as that, within a bound. When there is no
    room, streams of the tenant that is furthest over its share go: these, then finished ones, the first one first, and
    then abandoned ones. Streams within their tenant's share never go for another tenant.

    Args:
        limits: of the store.
        clock: the time in seconds.
        event_overhead: bytes that an event is counted with beside its own.
        stream_overhead: bytes that a stream is counted with beside its events.
        dropped: called with each stream that is dropped.

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
        # In the order in which they finished, and in which the publishers of the others left.
        self._finished = Queue[E]()
        self._left = Queue[E]()
        # Those of both that are too old and still read.
        self._read_on = Queue[E]()
        self._readers: Counter[str] = Counter()
        self._room = Room(limits)
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}

    def load(self, entry: E) -> None:
        """Adds a stream that is stored already: finished ones in the order in which they finished."""
        entry.stored = True
        entry.left_at = self._clock()
        self._entries[entry.stream_id] = entry
        self._room.hold(entry.tenant, self._size_of(entry), 1)
        if entry.finished_at is None:
            self._left.add(entry)
        else:
            self._room.settle(entry.tenant, self._size_of(entry))
            self._finished.add(entry)

    def divide(self, shares: Mapping[str, Shares]) -> None:
        """Divides the room among tenants; raises SharesError."""
        self._room.divide(shares)

    def get(self, stream_id: str, epoch: int | None = None) -> E:
        """The stream; raises StreamNotFoundError if it is not stored, EpochMismatchError if it has another epoch."""
        entry = self.find(stream_id, epoch)
        if entry is None:
            raise not_found()
        return entry

    def find(self, stream_id: str, epoch: int | None) -> E | None:
        """As `get`, but without an epoch a stream that is not stored is None."""
        self.expire()
        entry = self._entries.get(stream_id)
        if entry is not None and not entry.stored:
            entry = None
        check_epoch(entry.epoch if entry else None, epoch)
        return entry

    def holds(self, entry: E) -> bool:
        """Whether the stream has not been dropped."""
        return self._entries.get(entry.stream_id) is entry

    @contextmanager
    def publishing(self, entry: E) -> Iterator[None]:
        """Counts a publisher for as long as the context lasts."""
        self._join(entry)
        try:
            yield
        finally:
            self._leave(entry)

    @contextmanager
    def reading(self, stream_id: str) -> Iterator[None]:
        """Counts a reader for as long as the context lasts."""
        self._readers[stream_id] += 1
        try:
            yield
        finally:
            self._readers[stream_id] -= 1
            if not self._readers[stream_id]:
                del self._readers[stream_id]
                entry = self._entries.get(stream_id)
                if entry is not None and entry in self._read_on:
                    self.drop(entry)

    def reserve(self, entry: E, events: Sequence[bytes], checksum: int) -> Claim[E]:
        """Takes the room for events of an unfinished stream, and for the stream itself where it is new.

        Args:
            entry: the stream.
            events: the events.
            checksum: the stream's checksum after them.

        """
        size = sum(map(len, events))
        check_size(entry.bytes + size, self._limits.max_stream_bytes)
        claim = Claim(entry, len(events), size, checksum, size + self._event_overhead * len(events))
        if not entry.stored:
            claim = claim._replace(size=claim.size + self._stream_overhead)
        self._join(entry)  # first, so that it does not go for its own events
        try:
            self._make_room(entry.tenant, claim.size, streams=0 if entry.stored else 1)
        except StoreFullError:
            self._leave(entry)
            raise
        self._entries[entry.stream_id] = entry
        self._room.hold(entry.tenant, claim.size, 0 if entry.stored else 1)
        return claim

    def commit(self, claim: Claim[E], now: float, *, finished: bool, failure: Failure | None) -> None:
        """Notes that the events are stored, and that the stream has finished with them, if it has."""
        entry = claim.entry
        entry.stored = True
        entry.end += claim.events
        entry.bytes += claim.bytes
        entry.checksum = claim.checksum
        entry.updated_at = now
        if finished:
            entry.finished_at, entry.failure = now, failure
            self._finished.add(entry)
            self._room.settle(entry.tenant, self._size_of(entry))
        self._leave(entry)

    def cancel(self, claim: Claim[E]) -> None:
        """Gives the room back: the events are not stored."""
        entry = claim.entry
        self._room.free(entry.tenant, claim.size, 0 if entry.stored else 1, held=True)
        if not entry.stored:
            del self._entries[entry.stream_id]
        self._leave(entry)

    def expire(self) -> None:
        """Drops the streams that are too old."""
        now = self._clock()
        kept_since = now - self._limits.retention
        for streams in (self._finished, self._left):
            while (entry := streams.first()) and self._over_at(entry) <= kept_since:
                if self._readers[entry.stream_id]:
                    streams.discard(entry)
                    self._read_on.add(entry)
                else:
                    self.drop(entry)
        read_since = now - read_on(self._limits.retention)
        while (entry := self._read_on.first()) and self._over_at(entry) <= read_since:
            self.drop(entry)

    def drop(self, entry: E) -> None:
        """Drops a stream, whatever its state; no events of it may be reserved."""
        del self._entries[entry.stream_id]
        for streams in (self._finished, self._left, self._read_on):
            streams.discard(entry)
        self._room.free(entry.tenant, self._size_of(entry), 1, held=entry.finished_at is None)
        self._dropped(entry)
        self._wake(entry.stream_id)

    def info(self, entry: E, time_at_0: float) -> StreamInfo:
        """Describes a stream; `time_at_0` is the time, in seconds since 1970, when the index's clock was 0."""
        abandoned_at = self._abandoned_at(entry)
        if entry.finished_at is not None:
            state, gone_since = State.FAILED if entry.failure else State.COMPLETE, entry.finished_at
        else:
            state, gone_since = State.ABANDONED if abandoned_at <= self._clock() else State.OPEN, abandoned_at
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
            expires_at=None if state is State.OPEN else time_at_0 + gone_since + self._limits.retention,
        )

    def page(self, page_size: int, page_token: str, visible: Callable[[str], bool], time_at_0: float) -> Page:
        """A page of the streams, by their ids: a page's token is the last id of the page before."""
        self.expire()
        later = (e for e in self._entries.values() if e.stream_id > page_token and e.stored and visible(e.stream_id))
        entries = heapq.nsmallest(page_size + 1, later, key=attrgetter("stream_id"))
        streams = [self.info(entry, time_at_0) for entry in entries[:page_size]]
        return Page(streams, streams[-1].stream_id if len(entries) > page_size else "")

    async def readable(
        self, stream_id: str, start_offset: int, *, epoch: int | None, must_exist: bool, timeout: float
    ) -> E | None:
        """Waits until a stream has an event at an offset or has ended there, up to `timeout` seconds.

        Returns the stream, whatever it has by then; None where there is none yet.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            entry = self.get(stream_id, epoch) if must_exist else self.find(stream_id, epoch)
            wait = deadline - loop.time()
            if entry is not None:
                epoch = entry.epoch  # a stream that is created after this one is another
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

    def _size_of(self, entry: E) -> int:
        return self._stream_overhead + self._event_overhead * entry.end + entry.bytes

    def _abandoned_at(self, entry: E) -> float:
        return float("inf") if entry.publishers else entry.left_at + self._limits.abandon_after

    def _over_at(self, entry: E) -> float:
        return self._abandoned_at(entry) if entry.finished_at is None else entry.finished_at

    def _join(self, entry: E) -> None:
        entry.publishers += 1
        self._left.discard(entry)
        if entry.finished_at is None:  # one that has finished stays with its readers
            self._read_on.discard(entry)

    def _leave(self, entry: E) -> None:
        entry.publishers -= 1
        entry.left_at = self._clock()
        if not entry.publishers and entry.finished_at is None and self.holds(entry):
            self._left.add(entry)
        self._wake(entry.stream_id)

    def _make_room(self, tenant: str, size: int, streams: int) -> None:
        room = self._room
        if size > room.bytes.limit:
            raise StoreFullError(f"the events need {size} bytes, and the whole store has {room.bytes.limit}")
        for pool, amount in ((room.bytes, size), (room.streams, streams)) if streams else ((room.bytes, size),):
            # An abandoned stream is held until it goes, as its publisher may come back.
            while not pool.may_hold(tenant, amount):
                tenants = self._left.tenants() | self._read_on.tenants()
                abandoned = [each for each in tenants if self._first_abandoned(each)]
                self._evict(pool.gives_way(abandoned, tenant, amount, held=True), self._first_abandoned, tenant)
            while not pool.has_room(amount):
                tenants = self._read_on.tenants() | self._finished.tenants() | self._left.tenants()
                evictable = [each for each in tenants if self._first_evictable(each)]
                self._evict(pool.gives_way(evictable, tenant, amount), self._first_evictable, tenant)

    def _evict(self, victim: str | None, first_of: Callable[[str], E | None], tenant: str) -> None:
        """Drops the first stream of a tenant; without one, refuses the other tenant that needs the room."""
        entry = None if victim is None else first_of(victim)
        if entry is None:
            raise self._room.refusal(tenant)
        self.drop(entry)

    def _first_evictable(self, tenant: str) -> E | None:
        return self._read_on.first_of(tenant) or self._finished.first_of(tenant) or self._first_abandoned(tenant)

    def _first_abandoned(self, tenant: str) -> E | None:
        read_on = (entry for entry in self._read_on.of(tenant) if entry.finished_at is None)
        entry = next(read_on, None) or self._left.first_of(tenant)
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
