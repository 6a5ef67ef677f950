"""Plans the changes that a request makes in the file, and applies them in memory after the commit. No I/O."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .._entry import Entry
from .._errors import StreamStateError
from .._index import Reservation, StreamIndex
from .._interface import Append, End
from .._rules import new_events, repeated_events
from .._segment import Piece, pieces
from ._file import Changes, File, Finish, NewStream
from ._rows import Run
from ._tail_cache import TailCache


class Log(Entry):
    """A stream in the file.

    Attributes:
        key: its key in the file.
        damaged: whether its end is unreadable; the events from `end` on are then unknown.

    """

    def __init__(self, stream_id: str, now: float, tenant: str, key: int) -> None:
        super().__init__(stream_id, now, tenant)
        self.key = key
        self.damaged = False


class AppendRequest(NamedTuple):
    """A queued append.

    Attributes:
        log: the stream that the append was checked against; None if it did not exist.
        compared: the number of repeated events that were compared with the log.
        problem: the result of the comparison.
        done: the result; None if the log has changed and the events must be compared again.

    """

    append: Append
    log: Log | None
    compared: int
    problem: StreamStateError | None
    done: asyncio.Future[End | None]

    @property
    def stream_id(self) -> str:
        return self.append.stream_id


class DeleteRequest(NamedTuple):
    """A queued deletion."""

    stream_id: str
    epoch: int | None
    done: asyncio.Future[None]


class PlannedAppend(NamedTuple):
    """An append in the next transaction.

    Attributes:
        reservation: the capacity for its events; None if it only claims the stream or draws a number.
        problem: why its events are refused, if it claims the stream nevertheless.

    """

    request: AppendRequest
    log: Log
    owner: int
    drawn: int
    reservation: Reservation[Log] | None
    pieces: Sequence[Piece]
    now: float
    problem: StreamStateError | None


class PlannedDelete(NamedTuple):
    """A deletion in the next transaction."""

    request: DeleteRequest
    log: Log


class Planner:
    """Plans what a request changes in the file, and applies it in memory once it is committed.

    Args:
        file: provides the keys of new streams.
        index: the index of the streams.
        tail_cache: receives the written events.
        clock: the Unix time.

    """

    def __init__(self, file: File, index: StreamIndex[Log], tail_cache: TailCache, clock: Callable[[], float]) -> None:
        self._file = file
        self._index = index
        self._tail_cache = tail_cache
        self._clock = clock

    def plan_delete(self, request: DeleteRequest, changes: Changes) -> PlannedDelete:
        """Adds a deletion to the changes; raises StreamStateError."""
        log = self._index.get(request.stream_id, request.epoch)
        changes.dropped.append(log.key)
        return PlannedDelete(request, log)

    def plan_append(self, request: AppendRequest, changes: Changes) -> PlannedAppend | None:
        """Adds an append to the changes, or completes it at once if it changes nothing.

        Raises:
            StreamStateError: the append is refused, and does not claim the stream.

        """
        append, now = request.append, self._clock()
        log = self._index.find(append.stream_id, append.epoch)
        if log is None:
            log = Log(append.stream_id, now, append.tenant, next(self._file.new_keys))
        repeated = len(repeated_events(append, log.end))
        if repeated > request.compared or (log is not request.log and (repeated or request.problem)):
            request.done.set_result(None)
            return None
        owner, drawn = log.admit(append.publisher)
        changes_owner = log.stored and (owner, drawn) != (log.owner, log.drawn)
        new: Sequence[Piece] = ()
        reservation = problem = None
        try:
            if request.problem:
                raise request.problem
            finished = log.finished_at is not None
            events = new_events(append, end=log.end, finished=finished, failure=log.failure)
            if not finished and (events or append.end_of_stream or not log.stored):
                new = list(pieces(events, log.end, log.checksum))
                reservation = self._index.reserve(log, events, new[-1].after if new else log.checksum)
        except StreamStateError as error:
            if not changes_owner:
                raise
            problem = error
        if reservation is None and not changes_owner:
            request.done.set_result(log.end_now(append.publisher))
            return None
        planned = PlannedAppend(request, log, owner, drawn, reservation, new, now, problem)
        _add(planned, changes)
        return planned

    def commit_append(self, planned: PlannedAppend) -> None:
        """Applies a committed append in memory, and completes its request."""
        request, log = planned.request, planned.log
        log.owner, log.drawn = planned.owner, planned.drawn
        if planned.reservation:
            for piece in planned.pieces:
                self._tail_cache.add(log.key, piece)
            append = request.append
            self._index.commit(planned.reservation, planned.now, finished=append.end_of_stream, failure=append.failure)
        if request.done.done():
            return
        if planned.problem:
            request.done.set_exception(planned.problem)
        else:
            request.done.set_result(log.end_now(request.append.publisher))

    def commit_delete(self, planned: PlannedDelete) -> None:
        """Applies a committed deletion in memory, and completes its request."""
        if self._index.holds(planned.log):
            self._index.drop(planned.log)
        if not planned.request.done.done():
            planned.request.done.set_result(None)

    def cancel(self, planned: PlannedAppend | PlannedDelete, error: Exception) -> None:
        """Undoes a failed change, and completes its request with the error."""
        self.undo(planned)
        if not planned.request.done.done():
            planned.request.done.set_exception(error)

    def undo(self, planned: PlannedAppend | PlannedDelete) -> None:
        """Frees the capacity of a failed change; its request can be planned again."""
        if isinstance(planned, PlannedAppend) and planned.reservation:
            self._index.cancel(planned.reservation)


def _add(planned: PlannedAppend, changes: Changes) -> None:
    log, append = planned.log, planned.request.append
    if not log.stored:
        new = NewStream(log.key, log.stream_id, log.tenant, log.epoch, planned.owner, planned.drawn, log.created_at)
        changes.created.append(new)
    elif (planned.owner, planned.drawn) != (log.owner, log.drawn):
        changes.claimed.append((planned.owner, planned.drawn, log.key))
    if planned.pieces:
        changes.event_bytes += planned.reservation.size if planned.reservation else 0
        changes.runs.append(Run(log.key, planned.pieces, log.bytes, planned.now))
    if planned.reservation and append.end_of_stream:
        reason, message = append.failure or (None, None)
        changes.finished.append(Finish(planned.now, reason, message, log.key))
