"""The store in Redis."""

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
from .._rules import abandoned, check_epoch, check_past_end, check_position, not_found, read_on
from .._shares import Shares
from ._append import Appender, milliseconds
from ._client import DELETE, PRESENCE, Keys, Server, stream_keys
from ._listing import describe, page
from ._setup import Setup
from ._tenants import MEASURE_PART, MEASURE_SECONDS, MOST_SECONDS, Tenants
from ._view import View, look
from ._waiters import Quiet, Waiters

_logger = logging.getLogger(__package__)

LEASE_SECONDS: Final = 30.0
"""How long a publisher is taken to be present after its server has last renewed its lease."""

READER_SECONDS: Final = 30.0
"""How long a finished stream is kept at least, and after a read: a server does not know the readers of the others."""

RENEW_SECONDS: Final = 10.0
"""How often a server renews the leases of its publishers."""

CHECK_SECONDS: Final = 5.0
"""How often a server asks how Redis is set up."""


class RedisStore:
    """Logs in Redis, which all servers over it share.

    A stream is a hash with its state and a Redis Stream with its log. An entry of the log is a piece of an append: its
    events, serialized as a repeated field, with the checksums before and after them, under the offset after them. One
    script does all that an append does, or nothing. Finished and abandoned streams expire: Redis keeps the time.

    Args:
        server: the Redis.
        limits: of one stream, and of the times.

    Attributes:
        tenants: what they have of Redis; it is measured again and again.

    """

    def __init__(self, server: Server, limits: StoreLimits) -> None:
        self._server = server
        self._limits = limits
        self._name = secrets.token_hex(8)
        self._publishers: dict[tuple[Keys, int], int] = {}
        retention = max(limits.retention, READER_SECONDS)
        # From the last sign of life on, the publisher's lease included.
        self._keep_unfinished = LEASE_SECONDS + limits.abandon_after + retention
        self._appender = Appender(server, limits, self._keep_unfinished, retention)
        self._keep_read = [*map(milliseconds, (retention, read_on(limits.retention), limits.abandon_after))]
        self._setup = Setup(server)
        self.tenants = Tenants(server)

    async def __aenter__(self) -> Self:
        self._waiters = Waiters(self._server.home)
        self._chores = [
            asyncio.create_task(_repeat(RENEW_SECONDS, self.renew)),
            asyncio.create_task(_repeat(CHECK_SECONDS, self._setup.check)),
            asyncio.create_task(self._measure()),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for chore in self._chores:
            chore.cancel()
        await asyncio.wait(self._chores)
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
                with suppress(StoreUnavailableError):  # then the lease runs out
                    await self._lease(keys, epoch, 0)

    def reading(self, stream_id: str) -> AbstractContextManager[None]:
        return nullcontext()  # each read keeps the stream

    async def check(self) -> None:
        """Raises StoreUnavailableError if Redis takes no writes, or does not keep what it acknowledges."""
        await self._server.check()
        await self._setup.check()

    async def append(self, append: Append) -> End:
        self._setup.require()
        keys = stream_keys(append.stream_id)
        self.tenants.take(self._server.home(keys.log).name, append)
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
        looking = partial(look, self._server, keys, start_offset, max_bytes, other, self._keep_read)
        reader = self._waiters.reader(keys.log, deadline)
        epoch = await reader.wait_at_end(start_offset, epoch, check, must_exist=must_exist) or epoch
        while True:
            # A look that began before others knew what this reader knows could show it an older log.
            view = await reader.look((start_offset, max_bytes, epoch, check), looking)
            # A stream that is created after this one is another.
            epoch = _check(view, start_offset, epoch, check, must_exist=must_exist) or epoch
            batch = _batch(view, start_offset)
            now = loop.time()
            abandoned_at = now + view.alive + self._limits.abandon_after if view.epoch else math.inf
            if start_offset + len(batch.events) == view.end and not view.finished:
                reader.at_end(Quiet(Check(view.end, view.checksum), view.epoch, abandoned_at))
            if batch.events or batch.end_of_stream:
                return batch
            if abandoned_at <= now:
                raise abandoned(view.end, self._limits.abandon_after)
            if now >= deadline:
                return batch
            await reader.wait(abandoned_at)

    async def info(self, stream_id: str) -> StreamInfo:
        return await describe(self._server, stream_id, self._limits.abandon_after)

    async def list(self, page_size: int, page_token: str, visible: Callable[[str], bool]) -> Page:
        return await page(self._server, page_size, page_token, visible, self._limits.abandon_after)

    async def delete(self, stream_id: str, epoch: int | None) -> None:
        keys = stream_keys(stream_id)
        found = await self._server.run(DELETE, keys, "" if epoch is None else epoch)
        check_epoch(int(found or 0) or None, epoch)
        if not found:
            raise not_found()
        self._appender.forget(keys)

    async def renew(self) -> None:
        """Renews the leases of all publishers here; this is done every RENEW_SECONDS."""
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
                _logger.exception("cannot measure what tenants have of Redis")
            pause = min(MOST_SECONDS, (loop.time() - started) / MEASURE_PART)
            await asyncio.sleep(max(MEASURE_SECONDS, pause))

    async def _lease(self, keys: Keys, epoch: int, seconds: float) -> int | None:
        """Renews or ends the lease of a stream's publishers here; returns the epoch that the stream has."""
        keep = milliseconds(self._keep_unfinished)
        found = await self._server.run(PRESENCE, keys, self._name, milliseconds(seconds), epoch, keep)
        return int(found or 0) or None


async def _repeat(seconds: float, chore: Callable[[], Awaitable[None]]) -> None:
    """Does a chore every so many seconds."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await chore()
        except StoreUnavailableError:
            pass  # The calls that need Redis say so.
        except Exception:
            _logger.exception("a periodic task of the store in Redis failed")


def _check(view: View, start_offset: int, epoch: int | None, check: Check | None, *, must_exist: bool) -> int | None:
    """Checks that a stream can be read as it is asked for; returns its epoch, None where there is none yet."""
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
