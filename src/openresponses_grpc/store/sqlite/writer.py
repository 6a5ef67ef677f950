"""Group commit: what is appended to all streams while one transaction is under way goes into the next one."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from typing import Final, NamedTuple

from ..errors import StoreUnavailableError
from ..interface import Position
from ..ledger import Claim, Entry, Ledger
from ..rules import new_events
from .file import Changes, File, Run
from .recent import Recent

_DELETE_BYTES: Final = 4 << 20
"""Bytes of dropped streams that are deleted between two groups, so that publishers do not wait for long."""

_EXPIRE_SECONDS: Final = 1.0

_logger = logging.getLogger(__name__)


class Log(Entry):
    """A stream and its key in the file."""

    def __init__(self, stream_id: str, key: int) -> None:
        super().__init__(stream_id)
        self.key = key


class Append(NamedTuple):
    """What a caller asks for, and waits for."""

    stream_id: str
    events: Sequence[bytes]
    first_offset: int | None
    end_of_stream: bool
    epoch: int | None
    done: asyncio.Future[Position]


class _Planned(NamedTuple):
    """An append that goes into the next transaction."""

    done: asyncio.Future[Position]
    claim: Claim[Log]
    events: Sequence[bytes]
    finished_at: float | None


class Writer:
    """Writes into the file, in a thread, what the ledger allows, and notes in the ledger what was written.

    Args:
        file: the open file.
        ledger: the account of its streams.
        recent: gets the events that were written.
        clock: the time in seconds since 1970.
        thread: an executor of one thread.

    """

    def __init__(
        self, file: File, ledger: Ledger[Log], recent: Recent, *, clock: Callable[[], float], thread: Executor
    ) -> None:
        self._file = file
        self._ledger = ledger
        self._recent = recent
        self._clock = clock
        self._thread = thread
        self._loop = asyncio.get_running_loop()
        self._appends: list[Append] = []
        self._dropped: list[int] = []
        self._garbage = True  # a server that was killed may have left some
        self._closing = False
        self._work = asyncio.Event()
        self._task = self._loop.create_task(self._run())

    async def append(self, append: Append) -> Position:
        """Returns when it is written; raises what the rules say, or StoreUnavailableError."""
        if self._closing:
            raise StoreUnavailableError("the store is closed")
        self._appends.append(append)
        self._work.set()
        return await append.done

    def drop(self, log: Log) -> None:
        """Deletes a stream that the ledger has dropped."""
        self._dropped.append(log.key)

    async def close(self) -> None:
        """Returns when all that was appended is written."""
        self._closing = True
        self._work.set()
        await self._task

    async def _run(self) -> None:
        more = False
        while self._appends or not self._closing:
            if not self._appends and not more:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_EXPIRE_SECONDS):
                        await self._work.wait()
            self._work.clear()
            self._ledger.expire()
            size = await self._write_group()
            more = self._garbage and await self._delete(max(_DELETE_BYTES, 2 * size))

    async def _write_group(self) -> int:
        """Writes all that was appended, but one append of each stream; returns how many bytes."""
        appends, self._appends = self._appends, []
        changes = Changes()
        group: dict[str, _Planned] = {}
        for append in appends:
            if append.stream_id in group:
                self._appends.append(append)  # its turn comes when what is before it is stored
            elif not append.done.done():
                try:
                    planned = self._plan(append, changes)
                except Exception as error:
                    append.done.set_exception(error)
                else:
                    if planned is not None:
                        group[append.stream_id] = planned
        changes.dropped, self._dropped = self._dropped, []
        if not (group or changes.dropped):
            return 0
        try:
            await self._loop.run_in_executor(self._thread, self._file.write, changes)
        except Exception as error:
            self._dropped = changes.dropped + self._dropped
            for planned in group.values():
                self._ledger.cancel(planned.claim)
                if not planned.done.done():
                    problem = self._file.unavailable(error) if isinstance(error, sqlite3.Error) else error
                    planned.done.set_exception(problem)
            return 0
        self._garbage = self._garbage or bool(changes.dropped)
        for planned in group.values():
            log = planned.claim.entry
            self._recent.add(log.key, log.end, planned.events)
            self._ledger.commit(planned.claim, planned.finished_at)
            if not planned.done.done():
                planned.done.set_result(Position(log.end, log.epoch))
        return sum(planned.claim.bytes for planned in group.values())

    def _plan(self, append: Append, changes: Changes) -> _Planned | None:
        """Checks an append and adds it to the changes; answers one that changes nothing."""
        log = self._ledger.find(append.stream_id, append.epoch) or Log(append.stream_id, next(self._file.new_keys))
        events = new_events(
            append.events,
            end=log.end,
            finished=log.finished_at is not None,
            first_offset=append.first_offset,
            end_of_stream=append.end_of_stream,
        )
        if log.finished_at is not None or not (events or append.end_of_stream or not log.stored):
            append.done.set_result(Position(log.end, log.epoch))
            return None
        claim = self._ledger.reserve(log, events)
        if not log.stored:
            changes.created.append((log.key, log.stream_id, log.epoch))
        if events:
            changes.runs.append(Run(log.key, log.end, log.bytes, events))
        finished_at = None
        if append.end_of_stream:
            finished_at = self._clock()
            changes.finished.append((finished_at, log.key))
        return _Planned(append.done, claim, events, finished_at)

    async def _delete(self, size: int) -> bool:
        """Deletes some of what dropped streams have left; returns whether to go on."""
        try:
            self._garbage = await self._loop.run_in_executor(self._thread, self._file.delete, size)
        except sqlite3.Error as error:
            _logger.error("cannot delete expired streams: %s", self._file.unavailable(error))
            return False
        return self._garbage
