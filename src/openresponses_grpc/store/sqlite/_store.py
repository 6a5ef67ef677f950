"""The SQLite store: checks the rules in memory, writes events in one thread, and reads them in another."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from .._errors import DataLossError, OpenStoreError, StreamStateError
from .._index import StreamIndex
from .._interface import Append, Batch, Check, End, Failure, Page, StoreLimits, StreamInfo
from .._rules import check_position, check_repeated, repeated_events
from .._segment import Verified, data_loss
from .._shares import Shares
from .._times import Times, boot_id, steady
from ._file import File
from ._loading import StreamRow
from ._opening import Synchronous, open_file
from ._planning import AppendRequest, DeleteRequest, Log, Planner
from ._rows import result_code
from ._tail_cache import TailCache
from ._writer import Writer

EVENT_OVERHEAD: Final = 24
STREAM_OVERHEAD: Final = 256
"""The bytes that an event and a stream count in addition to their own, for the overhead in the file."""

T = TypeVar("T")

_TAIL_CACHE_BYTES: Final = 32 << 20

_COMPARED_BYTES: Final = 1 << 20
"""The bytes of events that are read at once to be compared with repeated events."""


class SQLiteStore:
    """Keeps logs in a file.

    The state of the streams, without their events, is also in memory, and changes there after the commit. Streams are
    dropped as in the memory store; the file reuses their space.

    Args:
        file: the open file.
        limits: the limits; SQLite's overhead per event is estimated.
        times: the clock.
        writer: an executor with one thread.
        reader: another executor with one thread. More threads would contend for Python's lock, at the expense of the
            writer.

    """

    def __init__(self, file: File, limits: StoreLimits, *, times: Times, writer: Executor, reader: Executor) -> None:
        self._file = file
        self._times = times
        self._reader = reader
        self._index = StreamIndex[Log](
            limits,
            times,
            event_overhead=EVENT_OVERHEAD,
            stream_overhead=STREAM_OVERHEAD,
            dropped=lambda log: self._writer.drop(log),
        )
        for row in file.loaded.streams:
            self._index.load(_loaded(row))
        self._tail_cache = TailCache(_TAIL_CACHE_BYTES)
        self._writer = Writer(
            file, self._index, Planner(file, self._index, self._tail_cache, times), times, thread=writer
        )

    def divide(self, shares: Mapping[str, Shares]) -> None:
        self._index.divide(shares)

    async def close(self) -> None:
        """Completes all queued requests."""
        await self._writer.close()

    @asynccontextmanager
    async def publishing(self, stream_id: str, epoch: int) -> AsyncIterator[None]:
        with self._index.publishing(self._index.get(stream_id, epoch)):
            yield

    def reading(self, stream_id: str) -> AbstractContextManager[None]:
        return self._index.reading(stream_id)

    async def append(self, append: Append) -> End:
        while True:
            log = self._index.find(append.stream_id, append.epoch)
            repeated: Sequence[bytes] = ()
            problem = None
            if log is None:
                check_position(append.check, end=0, checksum_at=lambda _: 0)
            else:
                if log.damaged:
                    raise data_loss(log.end)
                await self._check(log, append.check)
                repeated = repeated_events(append, log.end)
                problem = await self._compare(log, append, len(repeated)) if repeated else None
            done: asyncio.Future[End | None] = asyncio.get_running_loop().create_future()
            end = await self._writer.append(AppendRequest(append, log, len(repeated), problem, done))
            if end is not None:
                return end

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
        readable = self._index.readable
        while True:
            log = self._index.find(stream_id, epoch)
            if log and log.damaged and max(start_offset, check.offset if check else 0) >= log.end:
                raise data_loss(log.end)
            if check:
                log = self._index.get(stream_id, epoch)
                if check.offset != start_offset or start_offset >= log.end:
                    await self._check(log, check)
            found = await readable(stream_id, start_offset, epoch=epoch, must_exist=must_exist, timeout=timeout)
            if found is None:
                return Batch(start_offset)
            if start_offset >= found.end:
                return found.batch(start_offset, None)
            events = await self._read(found, start_offset, max_bytes)
            if events is None:
                continue  # dropped meanwhile; a new stream may have the same id
            if check and check.offset == start_offset:
                _check_at(check, found, events.before)
            return found.batch(start_offset, events)

    async def info(self, stream_id: str) -> StreamInfo:
        self._times.check_wall()
        return self._index.info(self._index.get(stream_id), self._times.wall_at_0)

    async def list(self, page_size: int, page_token: str, visible: Callable[[str], bool]) -> Page:
        self._times.check_wall()
        return self._index.page(page_size, page_token, visible, self._times.wall_at_0)

    async def delete(self, stream_id: str, epoch: int | None) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await self._writer.delete(DeleteRequest(stream_id, epoch, done))

    async def check(self) -> None:
        await self._writer.check()

    async def _check(self, log: Log, check: Check | None) -> None:
        """Checks that a stream contains a client's position, which later appends cannot change."""
        if check is None:
            return
        checksum: int | None = log.checksum
        if check.offset < log.end:
            segment = self._tail_cache.find(log.key, check.offset)
            if segment:
                checksum = segment.checksum_at(check.offset)
            else:
                checksum = await self._read_file(log, self._file.checksum_at, check.offset)
        if checksum is not None:
            _check_at(check, log, checksum)

    async def _compare(self, log: Log, append: Append, repeated: int) -> StreamStateError | None:
        """Compares the first `repeated` events of an append with the log; returns the error if they differ."""
        assert append.first_offset is not None
        events: list[bytes] = []
        try:
            while len(events) < repeated:
                read = await self._read(log, append.first_offset + len(events), _COMPARED_BYTES)
                if read is None:
                    return None  # the stream was dropped
                events += read.events
            check_repeated(append, events[:repeated], end=log.end)
        except StreamStateError as error:
            return error
        return None

    async def _read(self, log: Log, start_offset: int, max_bytes: int) -> Verified | None:
        """Reads at least one event of a stream; None if it was dropped meanwhile."""
        segment = self._tail_cache.find(log.key, start_offset)
        if segment:
            return segment.read(start_offset, max_bytes)
        # For a moment after a commit, the file has events that the log in memory does not have.
        return await self._read_file(log, self._file.read, start_offset, log.end, max_bytes)

    async def _read_file(self, log: Log, read: Callable[..., T], *args: int) -> T | None:
        """Reads from the file in the reader's thread; None if the stream was dropped meanwhile."""
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._reader, read, log.key, *args)
        except (sqlite3.Error, DataLossError) as error:
            if not self._index.holds(log):
                return None
            if isinstance(error, sqlite3.Error):
                raise self._file.unavailable(error) from error
            raise
        return found if self._index.holds(log) else None


def _loaded(row: StreamRow) -> Log:
    log = Log(row.stream_id, row.created_at, row.tenant, row.key)
    log.epoch, log.owner, log.drawn = row.epoch, row.owner, row.drawn
    log.updated_at, log.finished_at = row.updated_at, row.finished_at
    log.damaged = row.damaged
    if row.failure_reason is not None:
        log.failure = Failure(row.failure_reason, row.failure_message or "")
    log.end, log.bytes, log.checksum = row.end, row.bytes, row.checksum
    return log


def _maintain_first(file: File, times: Times) -> None:
    try:
        file.maintain(times.offsets)
    except sqlite3.Error as error:
        if result_code(error) != sqlite3.SQLITE_FULL:  # recovers once there is disk space
            raise OpenStoreError(str(file.unavailable(error))) from error


def _check_at(check: Check, log: Log, checksum: int) -> None:
    """Checks a position against the log's checksum at its offset."""
    check_position(check, end=log.end, checksum_at=lambda _: checksum)


@asynccontextmanager
async def open_sqlite(
    path: Path,
    limits: StoreLimits,
    *,
    synchronous: Synchronous = "NORMAL",
    clock: Callable[[], float] = steady,
    wall: Callable[[], float] = time.time,
    boot: str | None = None,
) -> AsyncIterator[SQLiteStore]:
    """Opens the store in a file while the context is open.

    Args:
        path: the file.
        limits: the limits of the store.
        synchronous: SQLite's setting; with FULL, each commit waits for the disk.
        clock: a steady clock in seconds.
        wall: the Unix time.
        boot: the id of the boot that `clock` belongs to; None asks the kernel.

    Raises:
        OpenStoreError: the store cannot be opened.

    """
    with ThreadPoolExecutor(1, "store-writer") as writer, ThreadPoolExecutor(1, "store-reader") as reader:
        in_writer = partial(asyncio.get_running_loop().run_in_executor, writer)
        with closing(await in_writer(open_file, path, synchronous)) as file:
            times = Times(
                clock,
                wall,
                boot=boot_id() if boot is None else boot,
                last=file.loaded.offsets,
                latest=max((row.updated_at for row in file.loaded.streams), default=0.0),
                most=limits.abandon_after,
            )
            await in_writer(_maintain_first, file, times)
            store = SQLiteStore(file, limits, times=times, writer=writer, reader=reader)
            try:
                yield store
            finally:
                await store.close()
                reader.shutdown()
                writer.shutdown()
