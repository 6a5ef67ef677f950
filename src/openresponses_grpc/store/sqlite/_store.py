"""The store over a file: rules are checked in memory, one thread writes events and another one reads them."""

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
from .._rules import check_logged, check_position, logged
from .._segment import Verified, damaged
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
"""Bytes that an event and a stream are counted with beside their own, for what the file keeps with them."""

T = TypeVar("T")

_TAIL_CACHE_BYTES: Final = 32 << 20

_COMPARED_BYTES: Final = 1 << 20
"""Bytes of events that are read at once to compare them with those that are sent again."""


class SQLiteStore:
    """Logs in a file.

    Everything about a stream but its events is in memory, too, and changes there after the commit. Streams are dropped
    as in the memory store, and their room in the file is used again.

    Args:
        file: the open file.
        limits: of the file's data, where what SQLite keeps beside an event is estimated, and of its times.
        times: the time.
        writer: an executor of one thread.
        reader: another one. More threads would wait for each other and for Python's lock, and leave less of it to the
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
        """Returns when every request is answered."""
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
            again: Sequence[bytes] = ()
            problem = None
            if log is None:
                check_position(append.check, end=0, checksum_at=lambda _: 0)
            else:
                if log.damaged:
                    raise damaged(log.end)
                await self._check(log, append.check)
                again = logged(append, log.end)
                problem = await self._compare(log, append, len(again)) if again else None
            done: asyncio.Future[End | None] = asyncio.get_running_loop().create_future()
            end = await self._writer.append(AppendRequest(append, log, len(again), problem, done))
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
                raise damaged(log.end)
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
                continue  # it was dropped meanwhile, and another may have its id
            if check and check.offset == start_offset:
                _check_at(check, found, events.before)
            return found.batch(start_offset, events)

    async def info(self, stream_id: str) -> StreamInfo:
        self._times.look()
        return self._index.info(self._index.get(stream_id), self._times.at_0)

    async def list(self, page_size: int, page_token: str, visible: Callable[[str], bool]) -> Page:
        self._times.look()
        return self._index.page(page_size, page_token, visible, self._times.at_0)

    async def delete(self, stream_id: str, epoch: int | None) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await self._writer.delete(DeleteRequest(stream_id, epoch, done))

    async def check(self) -> None:
        await self._writer.check()

    async def _check(self, log: Log, check: Check | None) -> None:
        """Checks that a stream has what a client knows of it; its events up to there do not change any more."""
        if check is None:
            return
        checksum: int | None = log.checksum
        if check.offset < log.end:
            segment = self._tail_cache.find(log.key, check.offset)
            if segment:
                checksum = segment.checksum_at(check.offset)
            else:
                checksum = await self._in_file(log, self._file.checksum_at, check.offset)
        if checksum is not None:
            _check_at(check, log, checksum)

    async def _compare(self, log: Log, append: Append, again: int) -> StreamStateError | None:
        """Compares the first `again` events of an append with those of the log; returns what is wrong with them."""
        assert append.first_offset is not None
        events: list[bytes] = []
        try:
            while len(events) < again:
                read = await self._read(log, append.first_offset + len(events), _COMPARED_BYTES)
                if read is None:
                    return None  # the stream was dropped
                events += read.events
            check_logged(append, events[:again], end=log.end)
        except StreamStateError as error:
            return error
        return None

    async def _read(self, log: Log, start_offset: int, max_bytes: int) -> Verified | None:
        """The events that a stream has, at least one; None where it was dropped meanwhile."""
        segment = self._tail_cache.find(log.key, start_offset)
        if segment:
            return segment.read(start_offset, max_bytes)
        return await self._in_file(log, self._file.read, start_offset, max_bytes)

    async def _in_file(self, log: Log, read: Callable[..., T], *args: int) -> T | None:
        """What is read from the file; None where the stream was dropped meanwhile."""
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


def _look_first(file: File, times: Times) -> None:
    try:
        file.look(times.offsets)
    except sqlite3.Error as error:
        if result_code(error) != sqlite3.SQLITE_FULL:  # which may heal
            raise OpenStoreError(str(file.unavailable(error))) from error


def _check_at(check: Check, log: Log, checksum: int) -> None:
    """Checks a position against the checksum that the log has at its offset."""
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
    """Opens the store in a file, for as long as the context lasts.

    Args:
        path: the file.
        limits: of the store.
        synchronous: whether a commit waits for the disk.
        clock: seconds from any point on, which nobody can set.
        wall: seconds since 1970.
        boot: what names the run of the kernel whose `clock` it is; None asks the kernel.

    Raises:
        OpenStoreError: it cannot be opened.

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
            await in_writer(_look_first, file, times)
            store = SQLiteStore(file, limits, times=times, writer=writer, reader=reader)
            try:
                yield store
            finally:
                await store.close()
                reader.shutdown()
                writer.shutdown()
