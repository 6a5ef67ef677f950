"""Group commit: requests that arrive during a transaction share the next one."""

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
"""The bytes of dropped streams that are deleted between two groups; publishers wait for this."""

_EXPIRE_SECONDS: Final = 1.0

_MAX_GROUP: Final = 1 << 20
"""The maximum number of requests in one transaction."""

_logger = logging.getLogger(__package__)


class Writer:
    """Writes planned changes to the file in a thread.

    Args:
        file: the open file.
        index: the index of its streams.
        planner: turns requests into changes.
        times: the clock.
        thread: an executor with one thread.

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
        self._garbage = True  # a killed server may have left some
        self._max_group = _MAX_GROUP
        self._maintain_at = self._loop.time() + _EXPIRE_SECONDS
        self._closing = False
        self._work = asyncio.Event()
        self._task = self._loop.create_task(self._run())

    async def append(self, request: AppendRequest) -> End | None:
        """Returns the result once the request is committed; raises StreamStateError or StoreUnavailableError."""
        self._queue(request)
        return await request.done

    async def delete(self, request: DeleteRequest) -> None:
        """Returns once the deletion is committed; raises StreamStateError or StoreUnavailableError."""
        self._queue(request)
        await request.done

    async def check(self) -> None:
        """Does a test write; raises StoreUnavailableError."""
        self._check_task()
        try:
            await self._loop.run_in_executor(self._thread, self._file.check)
        except sqlite3.Error as error:
            raise self._file.unavailable(error) from error

    def drop(self, log: Log) -> None:
        """Queues the deletion of a stream that the index has dropped."""
        self._dropped.append(log.key)

    async def close(self) -> None:
        """Completes all queued requests."""
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
            raise StoreUnavailableError(f"the writer task has failed ({self._task.exception()!r}): restart the server")

    async def _run(self) -> None:
        more = False
        while self._requests or not self._closing:
            if not self._requests and not more:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_EXPIRE_SECONDS):
                        await self._work.wait()
            self._work.clear()
            self._index.expire()
            await self._maintain()
            size = await self._write_group()
            more = self._garbage and await self._delete(max(_DELETE_BYTES, 2 * size))
        self._maintain_at = 0.0
        await self._maintain()

    async def _maintain(self) -> None:
        """Checks the file and the clock, once a second."""
        if self._loop.time() < self._maintain_at:
            return
        self._maintain_at = self._loop.time() + _EXPIRE_SECONDS
        self._times.check_wall()
        await self._in_thread(partial(self._file.maintain, self._times.offsets))

    async def _write_group(self) -> int:
        """Writes queued requests, one per stream; returns the bytes of their events."""
        changes = Changes()
        group = self._plan_group(changes)
        dropped, self._dropped = self._dropped, []
        changes.dropped += dropped
        if not (group or dropped):
            return 0
        error = await self._in_thread(partial(self._file.write, changes))
        if error and changes.dropped:
            # A full disk may still have space for dropping streams, which frees more.
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
            self._max_group = min(2 * self._max_group, _MAX_GROUP)
        size = 0
        for planned in group:
            if isinstance(planned, PlannedAppend):
                self._planner.commit_append(planned)
                size += planned.reservation.bytes if planned.reservation else 0
            else:
                self._planner.commit_delete(planned)
        return size

    async def _delete_each(self, group: Sequence[PlannedAppend | PlannedDelete]) -> int:
        """Writes deletions one by one, each with its own outcome."""
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
            if request.stream_id in group or len(group) >= self._max_group:
                self._requests.append(request)  # for a later group
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
        """Completes failed requests with the error; if the disk is too full for the group, retries a smaller one."""
        if isinstance(error, DiskFullError) and len(group) > 1:
            self._max_group = len(group) // 2
            for planned in group:
                self._planner.undo(planned)
            self._requests = [planned.request for planned in group] + self._requests
            return
        if isinstance(error, DiskFullError):
            error = StoreUnavailableError(str(error))
        for planned in group:
            self._planner.cancel(planned, error)

    async def _delete(self, size: int) -> bool:
        """Deletes some batches of dropped streams; returns whether more are left."""

        def delete() -> None:
            self._garbage = self._file.delete(size)

        error = await self._in_thread(delete)
        return self._garbage and not error

    async def _in_thread(self, change: Callable[[], None]) -> Exception | None:
        """Runs a change of the file in the thread; returns the error if it fails."""
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
