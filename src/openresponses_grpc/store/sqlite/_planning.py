"""The changes that a request makes in the file, and then in memory. No I/O."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .._entry import Entry
from .._errors import StreamStateError
from .._index import Claim, StreamIndex
from .._interface import Append, End
from .._rules import logged, new_events
from .._segment import Piece, pieces
from ._file import Changes, File, Finish, NewStream
from ._rows import Run
from ._tail_cache import TailCache


class Log(Entry):
    """A stream in the file.

    Attributes:
        key: its key there.
        damaged: whether its end cannot be read: then nobody knows what it has from `end` on.

    """

    def __init__(self, stream_id: str, now: float, tenant: str, key: int) -> None:
        super().__init__(stream_id, now, tenant)
        self.key = key
        self.damaged = False


class AppendRequest(NamedTuple):
    """An append whose caller waits.

    Attributes:
        log: the stream that the append was checked against; None where there was none.
        compared: how many of its events were compared with those that the log has.
        problem: what the comparison found.
        done: the result; None if the log has changed such that its events must be compared anew.

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
    """A deletion whose caller waits."""

    stream_id: str
    epoch: int | None
    done: asyncio.Future[None]


class PlannedAppend(NamedTuple):
    """An append that goes into the next transaction.

    Attributes:
        room: the room for its events; None if it only claims the stream or draws a number.
        problem: why its events are refused although it claims the stream.

    """

    request: AppendRequest
    log: Log
    owner: int
    drawn: int
    room: Claim[Log] | None
    pieces: Sequence[Piece]
    now: float
    problem: StreamStateError | None


class PlannedDelete(NamedTuple):
    """A deletion that goes into the next transaction."""

    request: DeleteRequest
    log: Log


class Planner:
    """Decides what a request changes in the file, and shows it in memory once it is committed.

    Args:
        file: numbers new streams.
        index: the account of the streams.
        tail_cache: gets the events that were written.
        clock: the time in seconds since 1970.

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
        """Adds an append to the changes; answers one that changes nothing.

        Raises:
            StreamStateError: it is refused and does not claim the stream.

        """
        append, now = request.append, self._clock()
        log = self._index.find(append.stream_id, append.epoch)
        if log is None:
            log = Log(append.stream_id, now, append.tenant, next(self._file.new_keys))
        again = len(logged(append, log.end))
        if again > request.compared or (log is not request.log and (again or request.problem)):
            request.done.set_result(None)
            return None
        owner, drawn = log.admit(append.publisher)
        changes_owner = log.stored and (owner, drawn) != (log.owner, log.drawn)
        new: Sequence[Piece] = ()
        room = problem = None
        try:
            if request.problem:
                raise request.problem
            finished = log.finished_at is not None
            events = new_events(append, end=log.end, finished=finished, failure=log.failure)
            if not finished and (events or append.end_of_stream or not log.stored):
                new = list(pieces(events, log.end, log.checksum))
                room = self._index.reserve(log, events, new[-1].after if new else log.checksum)
        except StreamStateError as error:
            if not changes_owner:
                raise
            problem = error
        if room is None and not changes_owner:
            request.done.set_result(log.end_now(append.publisher))
            return None
        planned = PlannedAppend(request, log, owner, drawn, room, new, now, problem)
        _add(planned, changes)
        return planned

    def commit_append(self, planned: PlannedAppend) -> None:
        """Shows a written append in memory, and answers its caller."""
        request, log = planned.request, planned.log
        log.owner, log.drawn = planned.owner, planned.drawn
        if planned.room:
            for piece in planned.pieces:
                self._tail_cache.add(log.key, piece)
            append = request.append
            self._index.commit(planned.room, planned.now, finished=append.end_of_stream, failure=append.failure)
        if request.done.done():
            return
        if planned.problem:
            request.done.set_exception(planned.problem)
        else:
            request.done.set_result(log.end_now(request.append.publisher))

    def commit_delete(self, planned: PlannedDelete) -> None:
        """Drops a stream whose deletion is written, and answers its caller."""
        if self._index.holds(planned.log):
            self._index.drop(planned.log)
        if not planned.request.done.done():
            planned.request.done.set_result(None)

    def cancel(self, planned: PlannedAppend | PlannedDelete, error: Exception) -> None:
        """Gives back the room for what could not be written, and answers the caller with the error."""
        self.undo(planned)
        if not planned.request.done.done():
            planned.request.done.set_exception(error)

    def undo(self, planned: PlannedAppend | PlannedDelete) -> None:
        """Gives back the room for what could not be written; its request may be planned anew."""
        if isinstance(planned, PlannedAppend) and planned.room:
            self._index.cancel(planned.room)


def _add(planned: PlannedAppend, changes: Changes) -> None:
    log, append = planned.log, planned.request.append
    if not log.stored:
        new = NewStream(log.key, log.stream_id, log.tenant, log.epoch, planned.owner, planned.drawn, log.created_at)
        changes.created.append(new)
    elif (planned.owner, planned.drawn) != (log.owner, log.drawn):
        changes.claimed.append((planned.owner, planned.drawn, log.key))
    if planned.pieces:
        changes.event_bytes += planned.room.size if planned.room else 0
        changes.runs.append(Run(log.key, planned.pieces, log.bytes, planned.now))
    if planned.room and append.end_of_stream:
        reason, message = append.failure or (None, None)
        changes.finished.append(Finish(planned.now, reason, message, log.key))
