"""Group commit: requests that arrive while one transaction is under way share the next one."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from typing import Final

from .._errors import StoreUnavailableError
from .._index import StreamIndex
from .._interface import End
from .._times import Times
from ._disk import DiskFullError
from ._file import Changes, File
from ._planning import AppendRequest, DeleteRequest, Log, PlannedAppend, PlannedDelete, Planner

_DELETE_BYTES: Final = 4 << 20
"""Bytes of dropped streams that are deleted between two groups, so that publishers do not wait for long."""

_EXPIRE_SECONDS: Final = 1.0

_MOST_AT_ONCE: Final = 1 << 20
"""Requests that share a transaction at most."""

_logger = logging.getLogger(__package__)


class Writer:
    """Writes the planned changes into the file, in a thread.

    Args:
        file: the open file.
        index: the account of its streams.
        planner: turns requests into changes.
        times: the time.
        thread: an executor of one thread.

    """

    def __init__(
        self, file: File, index: StreamIndex[Log], planner: Planner, times: Times, *, thread: Executor
    ) -> None:
        self._file = file
        self._index = index
        self._planner = planner
        self._times = times
        self._thread = thread
        self._loop = asyncio.get_running_loop()
        self._requests: list[AppendRequest | DeleteRequest] = []
        self._dropped: list[int] = []
        self._garbage = True  # a server that was killed may have left some
        self._at_once = _MOST_AT_ONCE
        self._look_at = self._loop.time() + _EXPIRE_SECONDS
        self._closing = False
        self._work = asyncio.Event()
        self._task = self._loop.create_task(self._run())

    async def append(self, request: AppendRequest) -> End | None:
        """Returns the request's result when it is written; raises StreamStateError or StoreUnavailableError."""
        self._queue(request)
        return await request.done

    async def delete(self, request: DeleteRequest) -> None:
        """Returns when the stream is deleted; raises StreamStateError or StoreUnavailableError."""
        self._queue(request)
        await request.done

    async def check(self) -> None:
        """Writes something that nobody reads; raises StoreUnavailableError."""
        self._check_task()
        try:
            await self._loop.run_in_executor(self._thread, self._file.check)
        except sqlite3.Error as error:
            raise self._file.unavailable(error) from error

    def drop(self, log: Log) -> None:
        """Deletes a stream that the index has dropped."""
        self._dropped.append(log.key)

    async def close(self) -> None:
        """Returns when every request is answered."""
        self._closing = True
        self._work.set()
        await self._task

    def _queue(self, request: AppendRequest | DeleteRequest) -> None:
        if self._closing:
            raise StoreUnavailableError("the store is closed")
        self._check_task()
        self._requests.append(request)
        self._work.set()

    def _check_task(self) -> None:
        if self._task.done():
            raise StoreUnavailableError(
                f"the task that writes has failed ({self._task.exception()!r}): restart the server"
            )

    async def _run(self) -> None:
        more = False
        while self._requests or not self._closing:
            if not self._requests and not more:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_EXPIRE_SECONDS):
                        await self._work.wait()
            self._work.clear()
            self._index.expire()
            await self._look()
            size = await self._write_group()
            more = self._garbage and await self._delete(max(_DELETE_BYTES, 2 * size))
        self._look_at = 0.0
        await self._look()

    async def _look(self) -> None:
        """Notices what has happened to the file and to the clock, once a second."""
        if self._loop.time() < self._look_at:
            return
        self._look_at = self._loop.time() + _EXPIRE_SECONDS
        self._times.look()
        await self._in_thread(partial(self._file.look, self._times.offsets))

    async def _write_group(self) -> int:
        """Writes the waiting requests, one of each stream; returns the bytes of their events."""
        changes = Changes()
        group = self._plan_group(changes)
        dropped, self._dropped = self._dropped, []
        changes.dropped += dropped
        if not (group or dropped):
            return 0
        error = await self._in_thread(partial(self._file.write, changes))
        if error and changes.dropped:
            # A full disk may have room for these, and more when they are deleted.
            self._refuse([planned for planned in group if isinstance(planned, PlannedAppend)], error)
            group = [planned for planned in group if isinstance(planned, PlannedDelete)]
            error = await self._in_thread(partial(self._file.drop, dropped))
            if not error:
                self._garbage = True
                return await self._delete_each(group)
        if error:
            self._dropped = dropped + self._dropped
            self._refuse(group, error)
            return 0
        self._garbage = self._garbage or bool(changes.dropped)
        if group:
            self._at_once = min(2 * self._at_once, _MOST_AT_ONCE)
        size = 0
        for planned in group:
            if isinstance(planned, PlannedAppend):
                self._planner.commit_append(planned)
                size += planned.room.bytes if planned.room else 0
            else:
                self._planner.commit_delete(planned)
        return size

    async def _delete_each(self, group: Sequence[PlannedAppend | PlannedDelete]) -> int:
        """Writes deletions one by one, each with an outcome of its own."""
        for planned in group:
            if isinstance(planned, PlannedDelete):
                if error := await self._in_thread(partial(self._file.drop, [planned.log.key])):
                    self._refuse([planned], error)
                else:
                    self._planner.commit_delete(planned)
        return 0

    def _plan_group(self, changes: Changes) -> list[PlannedAppend | PlannedDelete]:
        requests, self._requests = self._requests, []
        group: dict[str, PlannedAppend | PlannedDelete] = {}
        for request in requests:
            if request.stream_id in group or len(group) >= self._at_once:
                self._requests.append(request)  # its turn comes when those before it are stored
                continue
            if request.done.done():
                continue
            planned: PlannedAppend | PlannedDelete | None
            try:
                if isinstance(request, AppendRequest):
                    planned = self._planner.plan_append(request, changes)
                else:
                    planned = self._planner.plan_delete(request, changes)
            except Exception as error:
                request.done.set_exception(error)
            else:
                if planned is not None:
                    group[request.stream_id] = planned
        return list(group.values())

    def _refuse(self, group: Sequence[PlannedAppend | PlannedDelete], error: Exception) -> None:
        """Answers those whose changes were not written; where there is no room for all, fewer are tried first."""
        if isinstance(error, DiskFullError) and len(group) > 1:
            self._at_once = len(group) // 2
            for planned in group:
                self._planner.undo(planned)
            self._requests = [planned.request for planned in group] + self._requests
            return
        if isinstance(error, DiskFullError):
            error = StoreUnavailableError(str(error))
        for planned in group:
            self._planner.cancel(planned, error)

    async def _delete(self, size: int) -> bool:
        """Deletes some of what dropped streams have left; returns whether there is more."""

        def delete() -> None:
            self._garbage = self._file.delete(size)

        error = await self._in_thread(delete)
        return self._garbage and not error

    async def _in_thread(self, change: Callable[[], None]) -> Exception | None:
        """Changes the file; returns the error where it cannot be changed."""
        try:
            await self._loop.run_in_executor(self._thread, change)
        except sqlite3.Error as error:
            return self._file.unavailable(error)
        except OSError as error:
            return StoreUnavailableError(str(error))
        except StoreUnavailableError as error:
            return error
        except Exception as error:
            _logger.exception("internal error")
            return error
        return None
