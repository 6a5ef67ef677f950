"""Appends to streams in Redis, optimistically: checksums are computed here, and the script only compares them."""

from __future__ import annotations

import math
import secrets
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from .._interface import Append, Check, End, Failure, StoreLimits
from .._rules import (
    check_epoch,
    check_position,
    check_publisher,
    check_repeated,
    check_size,
    diverged,
    new_events,
    repeated_events,
)
from .._segment import PIECE_BYTES, Piece, pieces, serialize_events
from ._client import APPEND, Keys, RedisClient
from ._view import fetch_view, parse_failure

MAX_ENDS: Final = 1024
"""The number of streams whose last known end is cached."""


class _State(NamedTuple):
    """The state of a stream whose end differed from the expected one.

    Attributes:
        epoch: its epoch; None if it does not exist.
        number: the number drawn.
        admitted: whether the publisher was admitted: the epoch and the check match, and it is not fenced.
        end: its end offset and the checksum there.

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
        client: the Redis client.
        limits: the limits of the store.
        keep_open: seconds for which an open stream is kept after its last activity.
        retention: seconds for which a finished stream is kept.

    """

    def __init__(self, client: RedisClient, limits: StoreLimits, keep_open: float, retention: float) -> None:
        self._client = client
        self._limits = limits
        self._keep = (milliseconds(keep_open), milliseconds(retention))
        # The last known ends. They are hints, which save a run of the script if no other server has appended.
        self._ends: OrderedDict[Keys, Check] = OrderedDict()

    async def append(self, keys: Keys, append: Append) -> End:
        """Appends events, and claims the stream for their publisher."""
        expected = self._ends.get(keys)
        if expected is None or append.check:
            expected = append.check or Check(0, 0)
        # Repeated events must be compared with the log before any event is appended.
        appends = append.first_offset in (None, expected.offset)
        while True:
            events = _events_from(append, expected.offset) if appends else ()
            new = list(pieces(events, expected.offset, expected.checksum))
            appended, epoch, number, *state = await self._run(keys, append, expected, new, appends=appends)
            drawn = int(number) if number else None
            if appended:
                end = Check(expected.offset + len(events), new[-1].after if new else expected.checksum)
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
                expected, appends = end, True
            else:
                if append.check and found.end != expected:
                    expected = await self._verify(keys, append, append.check)
                else:
                    check_publisher(append.publisher, owner=found.owner, end=found.end.offset)
                appends = append.first_offset in (None, expected.offset)

    def forget(self, keys: Keys) -> None:
        """Forgets a deleted stream."""
        self._ends.pop(keys, None)

    def _remember(self, keys: Keys, end: Check) -> None:
        self._ends[keys] = end
        self._ends.move_to_end(keys)
        if len(self._ends) > MAX_ENDS:
            self._ends.popitem(last=False)

    async def _run(
        self, keys: Keys, append: Append, expected: Check, new: Sequence[Piece], *, appends: bool
    ) -> Sequence[Any]:
        size = sum(len(event) for piece in new for event in piece.events)
        numbers = (
            *expected,
            1 if append.check else 0,
            1 if appends else 0,
            1 if append.end_of_stream else 0,
            size,
            self._limits.max_stream_bytes,
            *self._keep,
        )
        reply: Sequence[Any] = await self._client.run(
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
        """Verifies that the log contains a client's position; returns its end."""
        view = await fetch_view(self._client, keys, check.offset, 1)
        check_epoch(view.epoch or None, append.epoch)
        check_position(check, end=view.end, checksum_at=view.checksum_at)
        return Check(view.end, view.checksum)

    async def _compare(self, keys: Keys, append: Append, found: _State) -> None:
        """Compares the repeated events of an append with the log."""
        repeated = repeated_events(append, found.end.offset)
        events: list[bytes] = []
        while len(events) < len(repeated):
            view = await fetch_view(self._client, keys, (append.first_offset or 0) + len(events), PIECE_BYTES)
            check_epoch(view.epoch or None, found.epoch)
            if not (verified := view.read()):
                raise diverged(f"it ends at offset {view.end}, before offset {found.end.offset}", view.end)
            events += verified.events
        if repeated:
            check_repeated(append, events[: len(repeated)], end=found.end.offset)


def _events_from(append: Append, end: int) -> Sequence[bytes]:
    """Returns the events of an append that follow a log with this end offset."""
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
    """Converts seconds to milliseconds, rounded up."""
    return math.ceil(seconds * 1000)
