"""The store over a file: rules are checked in memory, events are written by one thread and read by another."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Final

from ..errors import StreamNotFoundError
from ..interface import Batch, Position, StoreLimits
from ..ledger import Ledger
from .file import File
from .opening import Synchronous, open_file
from .recent import Recent
from .writer import Append, Log, Writer

EVENT_OVERHEAD: Final = 24
STREAM_OVERHEAD: Final = 256
"""Bytes that an event and a stream are counted with beside their own, for what the file keeps with them."""

_RECENT_BYTES: Final = 32 << 20


class SQLiteStore:
    """Logs in a file.

    What a stream is, but for its events, is kept in memory, too, and changes there after the commit: so it is what the
    file has. Streams go as they do from the memory store, and their room in the file is used again.

    Args:
        file: the open file.
        limits: of the file's data, where what SQLite keeps beside an event is estimated, and of its times.
        clock: the time in seconds since 1970.
        writer: an executor of one thread.
        reader: another one. More threads would wait for each other and for Python's lock, and leave less of it to the
            writer.

    """

    def __init__(
        self, file: File, limits: StoreLimits, *, clock: Callable[[], float], writer: Executor, reader: Executor
    ) -> None:
        self._file = file
        self._reader = reader
        self._ledger = Ledger[Log](
            limits,
            clock,
            event_overhead=EVENT_OVERHEAD,
            stream_overhead=STREAM_OVERHEAD,
            dropped=lambda log: self._writer.drop(log),
        )
        for row in file.streams:
            log = Log(row.stream_id, row.key)
            log.epoch, log.end, log.bytes, log.finished_at = row.epoch, row.end, row.bytes, row.finished_at
            self._ledger.load(log)
        self._recent = Recent(_RECENT_BYTES)
        self._writer = Writer(file, self._ledger, self._recent, clock=clock, thread=writer)

    async def close(self) -> None:
        """Returns when all that was appended is written."""
        await self._writer.close()

    @asynccontextmanager
    async def publishing(self, stream_id: str) -> AsyncIterator[None]:
        log = self._ledger.find(stream_id, None)
        if log is None:
            await self.append(stream_id, ())
            log = self._ledger.find(stream_id, None)
            if log is None:
                raise StreamNotFoundError("the stream does not exist any more")
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
        done: asyncio.Future[Position] = asyncio.get_running_loop().create_future()
        return await self._writer.append(Append(stream_id, events, first_offset, end_of_stream, epoch, done))

    async def read(
        self, stream_id: str, start_offset: int, *, epoch: int | None, max_bytes: int, timeout: float
    ) -> Batch:
        while True:
            log = await self._ledger.readable(stream_id, start_offset, epoch=epoch, timeout=timeout)
            if log is None:
                return Batch(start_offset, (), end_of_stream=False, epoch=0, end=0)
            events: Sequence[bytes] = ()
            if start_offset < log.end:
                events = self._recent.take(log.key, start_offset, max_bytes)
                events = events or await self._read_file(log, start_offset, max_bytes)
                if not self._ledger.holds(log):
                    continue  # it was dropped meanwhile, and another may have its id
            end_of_stream = log.finished_at is not None and start_offset + len(events) == log.end
            return Batch(start_offset, events, end_of_stream, log.epoch, log.end)

    async def _read_file(self, log: Log, start_offset: int, max_bytes: int) -> Sequence[bytes]:
        """The events that the file has, at least one; none where the stream is dropped."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._reader, self._file.read, log.key, start_offset, max_bytes)
        except sqlite3.Error as error:
            if self._ledger.holds(log):
                raise self._file.unavailable(error) from error
            return ()


@asynccontextmanager
async def open_sqlite(
    path: Path, limits: StoreLimits, *, synchronous: Synchronous = "NORMAL", clock: Callable[[], float] = time.time
) -> AsyncIterator[SQLiteStore]:
    """Opens the store in a file, for as long as the context lasts; raises OpenStoreError where it cannot."""
    with ThreadPoolExecutor(1, "store-writer") as writer, ThreadPoolExecutor(1, "store-reader") as reader:
        file = await asyncio.get_running_loop().run_in_executor(writer, open_file, path, synchronous)
        with closing(file):
            store = SQLiteStore(file, limits, clock=clock, writer=writer, reader=reader)
            try:
                yield store
            finally:
                await store.close()
                reader.shutdown()
