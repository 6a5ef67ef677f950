"""The store in Redis."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final, NamedTuple, Self

from ... import wire
from ..errors import OffsetOutOfRangeError, OffsetTrimmedError, StoreUnavailableError
from ..interface import Batch, Position, StoreLimits
from ..rules import abandoned, check_epoch, check_past_end, check_size, new_events
from .server import APPEND, PRESENCE, READ, Keys, Server, stream_keys
from .tails import Tails

_logger = logging.getLogger(__name__)

LEASE_SECONDS: Final = 30.0
"""How long a publisher is taken to be there after its server has last said so."""

RENEW_SECONDS: Final = 10.0
"""How often it says so."""


class _View(NamedTuple):
    """What a look at a stream has shown.

    Attributes:
        epoch: its epoch; 0 where there is no such stream.
        end: the offset at which it ends.
        finished: whether it has ended there for good.
        alive: seconds for which a publisher is known to be there, negative since when none is.
        oldest: the offset from which on it has the events that are looked for.
        events: the events there.

    """

    epoch: int = 0
    end: int = 0
    finished: bool = False
    alive: float = 0.0
    oldest: int = 0
    events: Sequence[bytes] = ()


class RedisStore:
    """Logs in Redis, which all servers over it share.

    A stream is a hash with its state and a Redis Stream with its log. An entry of the log is an append: its events,
    serialized as a repeated field, under the offset after them. All that an append does happens in one script, or not
    at all. Finished streams expire, and abandoned ones: Redis keeps the time.

    Args:
        server: the Redis.
        limits: of one stream, and of the times.

    """

    def __init__(self, server: Server, limits: StoreLimits) -> None:
        self._server = server
        self._limits = limits
        self._name = secrets.token_hex(8)
        self._publishers: dict[Keys, int] = {}

    async def __aenter__(self) -> Self:
        self._tails = Tails(self._server.home)
        self._renewer = asyncio.create_task(self._renew())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._renewer.cancel()
        with suppress(asyncio.CancelledError):
            await self._renewer
        await self._tails.aclose()

    @asynccontextmanager
    async def publishing(self, stream_id: str) -> AsyncIterator[None]:
        keys = stream_keys(stream_id)
        self._publishers[keys] = self._publishers.get(keys, 0) + 1
        try:
            await self._present(keys, LEASE_SECONDS, create=True)
            yield
        finally:
            self._publishers[keys] -= 1
            if not self._publishers[keys]:
                del self._publishers[keys]
                with suppress(StoreUnavailableError):  # then the lease runs out
                    await self._present(keys, 0)

    async def append(
        self,
        stream_id: str,
        events: Sequence[bytes],
        *,
        first_offset: int | None = None,
        end_of_stream: bool = False,
        epoch: int | None = None,
    ) -> Position:
        keys = stream_keys(stream_id)
        while True:
            size = sum(map(len, events))
            written, actual, end, finished, bytes_ = await self._server.run(
                APPEND,
                keys,
                "" if epoch is None else epoch,
                "" if first_offset is None else first_offset,
                int(end_of_stream),
                size,
                self._limits.max_stream_bytes,
                _new_epoch(),
                self._keep_unfinished,
                _milliseconds(self._limits.keep_finished),
                *_entries(events),
            )
            check_epoch(int(actual or 0) or None, epoch)
            if written:
                return Position(end, int(actual))
            # The stream is not as it was taken to be. What it has not yet is tried again, at the end it has now.
            events = new_events(
                events, end=end, finished=bool(finished), first_offset=first_offset, end_of_stream=end_of_stream
            )
            if finished or not (events or end_of_stream):
                return Position(end, int(actual))
            check_size(bytes_ + sum(map(len, events)), self._limits.max_stream_bytes)
            first_offset = end

    async def read(
        self, stream_id: str, start_offset: int, *, epoch: int | None, max_bytes: int, timeout: float
    ) -> Batch:
        keys = stream_keys(stream_id)
        now = asyncio.get_running_loop().time()
        deadline = now + timeout
        tail = self._tails.get(keys.log)
        waited = False
        if tail and tail.quiet and tail.quiet[0] == start_offset:
            await self._tails.wait(keys.log, tail.version, min(deadline, tail.quiet[1]) - now)
            waited = True
        while True:
            tail = self._tails.get(keys.log)
            version = tail.version if tail else 0
            look = partial(self._look, keys, start_offset, max_bytes)
            view = await (tail.together((start_offset, max_bytes), look) if tail and waited else look())
            _check(view, start_offset, epoch)
            now = asyncio.get_running_loop().time()
            abandoned_at = now + view.alive + self._limits.abandon_after if view.epoch else math.inf
            next_offset = start_offset + len(view.events)
            if tail and tail.version == version and version and next_offset == view.end:
                tail.quiet = (next_offset, abandoned_at)
            end_of_stream = view.finished and next_offset == view.end
            if view.events or end_of_stream:
                return Batch(start_offset, view.events, end_of_stream, view.epoch, view.end)
            if abandoned_at <= now:
                raise abandoned(view.end, self._limits.abandon_after)
            if now >= deadline:
                # A stream that has not come so far may yet be another when it does: it is not held to its epoch.
                epoch = view.epoch if start_offset == view.end else 0
                return Batch(start_offset, (), end_of_stream=False, epoch=epoch, end=view.end)
            await self._tails.wait(keys.log, version, min(deadline, abandoned_at) - now)
            waited = True

    async def renew(self) -> None:
        """Says of every publisher here that it is still there; this is done every RENEW_SECONDS."""
        renewals = (self._present(keys, LEASE_SECONDS) for keys in [*self._publishers])
        for outcome in await asyncio.gather(*renewals, return_exceptions=True):
            if isinstance(outcome, Exception):
                _logger.warning("cannot say that publishers are still there: %s", outcome)
                break

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            await self.renew()

    async def _present(self, keys: Keys, seconds: float, *, create: bool = False) -> None:
        lease, epoch = _milliseconds(seconds), _new_epoch() if create else ""
        await self._server.run(PRESENCE, keys, self._name, lease, epoch, self._keep_unfinished)

    @property
    def _keep_unfinished(self) -> int:
        """Milliseconds that a stream lives on from its last sign of life, its publisher's lease included."""
        return _milliseconds(LEASE_SECONDS + self._limits.abandon_after + self._limits.keep_finished)

    async def _look(self, keys: Keys, start: int, max_bytes: int) -> _View:
        found = await self._server.run(READ, keys, start, max_bytes)
        if not found:
            return _View()
        epoch, end, finished, alive, first, data = found
        view = _View(int(epoch), end, bool(finished), alive / 1000, end if first == b"" else first)
        if not view.oldest <= start < end:
            return view
        events = wire.SubscribeResponse.FromString(data).events[start - view.oldest :]
        return view._replace(events=_up_to(events, max_bytes))


def _check(view: _View, start_offset: int, epoch: int | None) -> None:
    check_epoch(view.epoch or None, epoch)
    if start_offset < view.end and start_offset < view.oldest:
        raise OffsetTrimmedError(
            f"the events before offset {view.oldest} are no longer in the log", oldest_offset=view.oldest
        )
    check_past_end(start_offset, end=view.end, finished=view.finished)
    if epoch is not None and start_offset > view.end:
        raise OffsetOutOfRangeError(
            f"Redis has lost events: the stream was read up to offset {start_offset}, and now ends at {view.end}",
            next_offset=view.end,
        )


def _entries(events: Sequence[bytes]) -> Iterator[int | bytes]:
    """The events as the entries of a log: for each its number of events, and the events as a repeated field."""
    while events:
        first = _up_to(events, wire.BATCH_BYTES)
        yield len(first)
        yield wire.SubscribeResponse(events=first).SerializeToString()
        events = events[len(first) :]


def _up_to(events: Sequence[bytes], max_bytes: int) -> Sequence[bytes]:
    """The first events, at least one and up to `max_bytes` of them."""
    size = 0
    for count, event in enumerate(events):
        size += len(event)
        if size > max_bytes and count:
            return events[:count]
    return events


def _milliseconds(seconds: float) -> int:
    return math.ceil(seconds * 1000)


def _new_epoch() -> int:
    return secrets.randbits(63) or 1
