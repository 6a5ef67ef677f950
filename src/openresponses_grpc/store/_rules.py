"""The rules of appending and reading that every store follows. Pure: no I/O, no clock."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Final

from ._errors import (
    EpochMismatchError,
    OffsetGapError,
    OffsetOutOfRangeError,
    PublisherFencedError,
    StreamAbandonedError,
    StreamDivergedError,
    StreamFinishedError,
    StreamFullError,
    StreamNotFoundError,
)
from ._interface import Append, Check, Failure

_CHUNK: Final = 1024
"""Events that `events_up_to` measures at once."""

MAX_PUBLISHER: Final = 2**53 - 1

READ_ON_FACTOR: Final = 4
READ_ON_SECONDS: Final = 300.0


def read_on(retention: float) -> float:
    """Seconds that readers can keep a finished or abandoned stream for, where it is kept for `retention` anyway."""
    return max(READ_ON_FACTOR * retention, READ_ON_SECONDS)


def check_epoch(actual: int | None, expected: int | None) -> None:
    """Checks that the stream is the one that is meant.

    Args:
        actual: the stream's epoch; None where there is no such stream.
        expected: the epoch that it must have; None for any, and for none.

    """
    if expected is None:
        return
    if actual is None:
        raise not_found()
    if actual != expected:
        raise EpochMismatchError(f"the stream was created again: its epoch is {actual}", epoch=actual)


def not_found() -> StreamNotFoundError:
    """The error for a stream that does not exist."""
    return StreamNotFoundError("the stream does not exist")


def check_position(check: Check | None, *, end: int, checksum_at: Callable[[int], int]) -> None:
    """Checks that the log has what a client knows of it.

    Args:
        check: what the client knows; None for nothing.
        end: the offset at which the log ends.
        checksum_at: the log's checksum at an offset up to its end.

    """
    if check is None:
        return
    if check.offset > end:
        raise diverged(f"it ends at offset {end}, before offset {check.offset}", end)
    if checksum_at(check.offset) != check.checksum:
        raise diverged(f"its events before offset {check.offset} are not those of the position", end)


def diverged(problem: str, end: int) -> StreamDivergedError:
    """The error for a client whose log is not this one."""
    return StreamDivergedError(f"the server's log of the stream has diverged: {problem}", next_offset=end)


def check_publisher(publisher: int | None, *, owner: int, end: int) -> None:
    """Checks that a publisher is not fenced.

    Args:
        publisher: its number; 0 to draw one, None for none.
        owner: the number that has claimed the stream; 0 while none has.
        end: the offset at which the log ends.

    """
    if owner and publisher != 0 and (publisher is None or publisher < owner):
        raise PublisherFencedError(
            "another publisher has claimed the stream since; only the latest one can append", next_offset=end
        )


def draw(drawn: int, now: float) -> int:
    """A number for a publisher.

    Args:
        drawn: the highest number that was drawn or has claimed the stream.
        now: seconds since 1970. With it a store that has lost its latest numbers does not draw one of them again.

    """
    return min(max(drawn + 1, int(now * 1_000_000)), MAX_PUBLISHER)


def logged(append: Append, end: int) -> Sequence[bytes]:
    """Those of the events to be appended that must be in the log, which ends at `end`, already."""
    return () if append.first_offset is None else append.events[: max(end - append.first_offset, 0)]


def check_logged(append: Append, events: Sequence[bytes], *, end: int) -> None:
    """Checks that the events that the log has are those that are sent again.

    Args:
        append: the request.
        events: the log's events from its `first_offset` on, as many as `logged` returns.
        end: the offset at which the log ends.

    """
    assert append.first_offset is not None
    for index, event in enumerate(events):
        if event != append.events[index]:
            raise diverged(f"it has another event at offset {append.first_offset + index}", end)


def new_events(append: Append, *, end: int, finished: bool, failure: Failure | None) -> Sequence[bytes]:
    """Those of the events to be appended that the log does not have.

    Args:
        append: the request.
        end: the offset at which the log ends.
        finished: whether the stream has ended there for good.
        failure: why, if it has ended in failure.

    """
    events, first_offset = append.events, append.first_offset
    if first_offset is not None:
        if first_offset > end:
            raise OffsetGapError(
                f"offset {first_offset} is beyond the end of the stream: the next offset is {end}", next_offset=end
            )
        last = first_offset + len(events)
        if append.end_of_stream and last < end:
            raise OffsetGapError(f"the stream cannot end at offset {last}: the next offset is {end}", next_offset=end)
        events = events[end - first_offset :]
    if finished and (events or (append.end_of_stream and append.failure != failure)):
        how = f"failed at offset {end} with reason {failure.reason!r}" if failure else f"ended at offset {end}"
        raise StreamFinishedError(f"the stream has {how}", next_offset=end)
    return events


def check_size(size: int, max_stream_bytes: int) -> None:
    """Checks that a stream's events may have `size` bytes."""
    if size > max_stream_bytes:
        raise StreamFullError(
            f"the stream would have {size} bytes; one stream has up to {max_stream_bytes}",
            max_stream_bytes=max_stream_bytes,
        )


def events_up_to(events: Sequence[bytes], start: int, max_bytes: int) -> Sequence[bytes]:
    """The events from the index `start` on, where there are any at least one, and up to `max_bytes` of them."""
    stop, room = start, max_bytes
    while chunk := events[stop : stop + _CHUNK]:
        ends = list(accumulate(map(len, chunk)))
        if ends[-1] > room:
            stop += bisect_right(ends, room)
            break
        stop, room = stop + len(chunk), room - ends[-1]
    return events[start : max(stop, start + 1)]


def check_past_end(start_offset: int, *, end: int, finished: bool) -> None:
    """Checks that there can ever be an event at `start_offset`, where the log has none."""
    if finished and start_offset > end:
        raise OffsetOutOfRangeError(
            f"offset {start_offset} is beyond the end of the finished stream, {end}", next_offset=end
        )


def abandoned(end: int, abandon_after: float) -> StreamAbandonedError:
    """The error for a reader who waits at the end of a stream that has no publisher any more."""
    return StreamAbandonedError(
        f"no publisher for {abandon_after:g} seconds: the stream stops at offset {end}", next_offset=end
    )
