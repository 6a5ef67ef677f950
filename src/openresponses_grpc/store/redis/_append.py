"""Appending to a stream in Redis: optimistic, as the checksums are computed here and the script only compares them."""

from __future__ import annotations

import math
import secrets
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from .._interface import Append, Check, End, Failure, StoreLimits
from .._rules import (
    check_epoch,
    check_logged,
    check_position,
    check_publisher,
    check_size,
    diverged,
    logged,
    new_events,
)
from .._segment import PIECE_BYTES, Piece, pieces
from .._stored import serialize_events
from ._client import APPEND, Keys, Server
from ._view import look, parse_failure

MAX_ENDS: Final = 1024
"""The number of streams whose last known end is kept."""


class _State(NamedTuple):
    """A stream that an append did not find as it was believed to be.

    Attributes:
        epoch: its epoch; None where there is no such stream.
        number: the number that was drawn.
        admitted: whether the publisher was let in: the epoch is right, the check holds, and it is not fenced.
        end: where it ends, and the checksum there.

    """

    epoch: int | None
    number: int | None
    admitted: bool
    end: Check
    bytes: int
    finished: bool
    failure: Failure | None
    owner: int


class Appender:
    """Appends to streams.

    Args:
        server: the Redis.
        limits: of one stream.
        keep_unfinished: seconds that a stream is kept from its last sign of life on.
        retention: seconds that it is kept from its end on.

    """

    def __init__(self, server: Server, limits: StoreLimits, keep_unfinished: float, retention: float) -> None:
        self._server = server
        self._limits = limits
        self._keep = (milliseconds(keep_unfinished), milliseconds(retention))
        # The last known ends: hints, which save a run of the script where nobody else has appended.
        self._ends: OrderedDict[Keys, Check] = OrderedDict()

    async def append(self, keys: Keys, append: Append) -> End:
        """Appends events, and claims the stream for their publisher."""
        believed = self._ends.get(keys)
        if believed is None or append.check:
            believed = append.check or Check(0, 0)
        # Events before the end must be compared with the log before any is appended.
        appends = append.first_offset in (None, believed.offset)
        while True:
            events = _beyond(append, believed.offset) if appends else ()
            new = list(pieces(events, believed.offset, believed.checksum))
            appended, epoch, number, *state = await self._run(keys, append, believed, new, appends=appends)
            drawn = int(number) if number else None
            if appended:
                end = Check(believed.offset + len(events), new[-1].after if new else believed.checksum)
                self._remember(keys, end)
                return End(end.offset, int(epoch), end.checksum, append.end_of_stream, append.failure, drawn)
            found = _state(epoch, drawn, *state)
            check_epoch(found.epoch, append.epoch)
            if found.admitted:
                await self._compare(keys, append, found)
                end, finished, failure = found.end, found.finished, found.failure
                events = new_events(append, end=end.offset, finished=finished, failure=failure)
                if found.epoch and (finished or not (events or append.end_of_stream)):
                    self._remember(keys, end)
                    return End(end.offset, found.epoch, end.checksum, finished, failure, drawn)
                check_size(found.bytes + sum(map(len, events)), self._limits.max_stream_bytes)
                believed, appends = end, True
            else:
                if append.check and found.end != believed:
                    believed = await self._verify(keys, append, append.check)
                else:
                    check_publisher(append.publisher, owner=found.owner, end=found.end.offset)
                appends = append.first_offset in (None, believed.offset)

    def forget(self, keys: Keys) -> None:
        """Forgets a stream that is deleted."""
        self._ends.pop(keys, None)

    def _remember(self, keys: Keys, end: Check) -> None:
        self._ends[keys] = end
        self._ends.move_to_end(keys)
        if len(self._ends) > MAX_ENDS:
            self._ends.popitem(last=False)

    async def _run(
        self, keys: Keys, append: Append, believed: Check, new: Sequence[Piece], *, appends: bool
    ) -> Sequence[Any]:
        size = sum(len(event) for piece in new for event in piece.events)
        numbers = (
            *believed,
            1 if append.check else 0,
            1 if appends else 0,
            1 if append.end_of_stream else 0,
            size,
            self._limits.max_stream_bytes,
            *self._keep,
        )
        reply: Sequence[Any] = await self._server.run(
            APPEND,
            keys,
            " ".join(map(str, numbers)),
            "" if append.epoch is None else append.epoch,
            "" if append.publisher is None else append.publisher,
            secrets.randbits(63) or 1,
            append.failure.reason if append.failure else "",
            append.failure.message if append.failure else "",
            append.tenant,
            *_entries(new),
        )
        return reply

    async def _verify(self, keys: Keys, append: Append, check: Check) -> Check:
        """Verifies that the log has what is known of it; returns its end."""
        view = await look(self._server, keys, check.offset, 1)
        check_epoch(view.epoch or None, append.epoch)
        check_position(check, end=view.end, checksum_at=view.checksum_at)
        return Check(view.end, view.checksum)

    async def _compare(self, keys: Keys, append: Append, found: _State) -> None:
        """Compares those events of an append that are in the log already with the log's."""
        again = logged(append, found.end.offset)
        events: list[bytes] = []
        while len(events) < len(again):
            view = await look(self._server, keys, (append.first_offset or 0) + len(events), PIECE_BYTES)
            check_epoch(view.epoch or None, found.epoch)
            if not (verified := view.read()):
                raise diverged(f"it ends at offset {view.end}, before offset {found.end.offset}", view.end)
            events += verified.events
        if again:
            check_logged(append, events[: len(again)], end=found.end.offset)


def _beyond(append: Append, end: int) -> Sequence[bytes]:
    """The events of an append that a log which ends there, and has those before, does not have."""
    return append.events if append.first_offset is None else append.events[end - append.first_offset :]


def _state(
    epoch: bytes,
    number: int | None,
    admitted: int,
    end: int,
    checksum: bytes,
    bytes_: int,
    finished: int,
    reason: bytes,
    message: bytes,
    owner: bytes,
) -> _State:
    failure = parse_failure(reason, message)
    position = Check(end, int(checksum))
    return _State(
        int(epoch or 0) or None, number, bool(admitted), position, bytes_, bool(finished), failure, int(owner)
    )


def _entries(new: Sequence[Piece]) -> Iterator[int | bytes]:
    for piece in new:
        yield len(piece.events)
        yield piece.before
        yield piece.after
        yield serialize_events(piece.events)


def milliseconds(seconds: float) -> int:
    """Seconds as Redis takes them."""
    return math.ceil(seconds * 1000)
