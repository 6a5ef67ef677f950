"""The Redis store."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from functools import partial
from typing import Final, Self

from .._errors import StoreUnavailableError
from .._interface import Append, Batch, Check, End, Page, StoreLimits, StreamInfo
from .._rules import abandoned, check_epoch, check_past_end, check_position, not_found, reader_retention
from .._shares import Shares
from ._append import Appender, milliseconds
from ._client import DELETE, PRESENCE, Keys, RedisClient, stream_keys
from ._listing import describe, page
from ._setup import Setup
from ._tenants import MAX_MEASURE_FRACTION, MAX_PAUSE_SECONDS, MIN_PAUSE_SECONDS, Tenants
from ._view import View, fetch_view
from ._waiters import KnownEnd, Waiters

_logger = logging.getLogger(__package__)

LEASE_SECONDS: Final = 30.0
"""The duration of the lease of a server's publishers, which the server renews."""

READER_SECONDS: Final = 30.0
"""The minimum retention, also after each read: a server does not know the readers on other servers."""

RENEW_SECONDS: Final = 10.0
"""The interval at which a server renews the leases of its publishers."""

CHECK_SECONDS: Final = 5.0
"""The interval at which a server checks the configuration of Redis."""


class RedisStore:
    """Keeps logs in Redis, shared by all servers that use it.

    A stream is a hash with its state and a Redis Stream with its log. An entry of the log is a piece of an append: the
    serialized events, with the checksums before and after them. Its ID is the offset after the events. A script makes
    each append atomic. Finished and abandoned streams expire by Redis' clock.

    Args:
        client: the Redis client.
        limits: the limits.

    Attributes:
        tenants: the memory that tenants use, measured periodically.

    """

    def __init__(self, client: RedisClient, limits: StoreLimits) -> None:
        self._client = client
        self._limits = limits
        self._name = secrets.token_hex(8)
        self._publishers: dict[tuple[Keys, int], int] = {}
        retention = max(limits.retention, READER_SECONDS)
        # From the last activity on, which may be the renewal of a lease.
        self._keep_open = LEASE_SECONDS + limits.abandon_after + retention
        self._appender = Appender(client, limits, self._keep_open, retention)
        self._keep_read = [*map(milliseconds, (retention, reader_retention(limits.retention), limits.abandon_after))]
        self._setup = Setup(client)
        self.tenants = Tenants(client)

    async def __aenter__(self) -> Self:
        self._waiters = Waiters(self._client.endpoint)
        self._tasks = [
            asyncio.create_task(_repeat(RENEW_SECONDS, self.renew)),
            asyncio.create_task(_repeat(CHECK_SECONDS, self._setup.check)),
            asyncio.create_task(self._measure()),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        await self._waiters.aclose()

    def divide(self, shares: Mapping[str, Shares]) -> None:
        self.tenants.divide(shares)

    @asynccontextmanager
    async def publishing(self, stream_id: str, epoch: int) -> AsyncIterator[None]:
        keys = stream_keys(stream_id)
        publisher = keys, epoch
        self._publishers[publisher] = self._publishers.get(publisher, 0) + 1
        try:
            check_epoch(await self._lease(keys, epoch, LEASE_SECONDS), epoch)
            yield
        finally:
            self._publishers[publisher] -= 1
            if not self._publishers[publisher]:
                del self._publishers[publisher]
                with suppress(StoreUnavailableError):  # the lease expires anyway
                    await self._lease(keys, epoch, 0)

    def reading(self, stream_id: str) -> AbstractContextManager[None]:
        return nullcontext()  # each read extends the retention

    async def check(self) -> None:
        """Raises StoreUnavailableError if Redis is not writable, or may evict acknowledged events."""
        await self._client.check()
        await self._setup.check()

    async def append(self, append: Append) -> End:
        self._setup.raise_problem()
        keys = stream_keys(append.stream_id)
        await self.tenants.admit(self._client.node(keys.log), append)
        return await self._appender.append(keys, append)

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
        keys = stream_keys(stream_id)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        other = check.offset if check and check.offset != start_offset else None
        fetch = partial(fetch_view, self._client, keys, start_offset, max_bytes, other, self._keep_read)
        reader = self._waiters.reader(keys.log, deadline)
        epoch = await reader.wait_at_end(start_offset, epoch, check, must_exist=must_exist) or epoch
        while True:
            # The key has epoch and check: a fetch that began before they were known may return an older log.
            view = await reader.fetch((start_offset, max_bytes, epoch, check), fetch)
            # Keep the epoch: a later stream with the same id is another one.
            epoch = _check(view, start_offset, epoch, check, must_exist=must_exist) or epoch
            batch = _batch(view, start_offset)
            now = loop.time()
            abandoned_at = now + view.alive + self._limits.abandon_after if view.epoch else math.inf
            if start_offset + len(batch.events) == view.end and not view.finished:
                reader.note_end(KnownEnd(Check(view.end, view.checksum), view.epoch, abandoned_at))
            if batch.events or batch.end_of_stream:
                return batch
            if abandoned_at <= now:
                raise abandoned(view.end, self._limits.abandon_after)
            if now >= deadline:
                return batch
            await reader.wait(abandoned_at)

    async def info(self, stream_id: str) -> StreamInfo:
        return await describe(self._client, stream_id, self._limits.abandon_after)

    async def list(self, page_size: int, page_token: str, visible: Callable[[str], bool]) -> Page:
        return await page(self._client, page_size, page_token, visible, self._limits.abandon_after)

    async def delete(self, stream_id: str, epoch: int | None) -> None:
        keys = stream_keys(stream_id)
        found = await self._client.run(DELETE, keys, "" if epoch is None else epoch)
        check_epoch(int(found or 0) or None, epoch)
        if not found:
            raise not_found()
        self._appender.forget(keys)

    async def renew(self) -> None:
        """Renews the leases of this server's publishers. It runs every RENEW_SECONDS."""
        renewals = (self._lease(keys, epoch, LEASE_SECONDS) for keys, epoch in [*self._publishers])
        for outcome in await asyncio.gather(*renewals, return_exceptions=True):
            if isinstance(outcome, Exception):
                _logger.warning("cannot renew the leases of publishers: %s", outcome)
                break

    async def _measure(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            try:
                await self.tenants.measure()
            except Exception:
                _logger.exception("cannot measure the memory of tenants in Redis")
            pause = min(MAX_PAUSE_SECONDS, (loop.time() - started) / MAX_MEASURE_FRACTION)
            await asyncio.sleep(max(MIN_PAUSE_SECONDS, pause))

    async def _lease(self, keys: Keys, epoch: int, seconds: float) -> int | None:
        """Renews or ends this server's lease for a stream's publishers; returns the epoch of the stream."""
        keep = milliseconds(self._keep_open)
        found = await self._client.run(PRESENCE, keys, self._name, milliseconds(seconds), epoch, keep)
        return int(found or 0) or None


async def _repeat(seconds: float, action: Callable[[], Awaitable[None]]) -> None:
    """Runs an action periodically."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await action()
        except StoreUnavailableError:
            pass  # the calls that need Redis report it
        except Exception:
            _logger.exception("a periodic task of the Redis store failed")


def _check(view: View, start_offset: int, epoch: int | None, check: Check | None, *, must_exist: bool) -> int | None:
    """Checks the conditions of a read; returns the epoch of the stream, None if it does not exist yet."""
    found = view.epoch or None
    check_epoch(found, epoch)
    if must_exist and not found:
        raise not_found()
    check_position(check, end=view.end, checksum_at=view.checksum_at)
    check_past_end(start_offset, end=view.end, finished=view.finished)
    return found


def _batch(view: View, start_offset: int) -> Batch:
    verified = view.read()
    events = verified.events if verified else ()
    ended = view.finished and start_offset + len(events) == view.end
    checksum = view.checksum if start_offset == view.end else None
    return Batch(
        start_offset,
        events,
        end_of_stream=ended,
        epoch=view.epoch,
        end=view.end,
        checksum=verified.after if verified else checksum,
        failure=view.failure if ended else None,
    )
