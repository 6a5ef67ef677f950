"""The rules for appends and reads in every store. Pure: no I/O, no clock."""

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
"""The number of events that `events_up_to` measures at once."""

MAX_PUBLISHER: Final = 2**53 - 1

_READER_RETENTION_FACTOR: Final = 4
_MIN_READER_RETENTION: Final = 300.0


def reader_retention(retention: float) -> float:
    """Returns the maximum seconds for which readers can keep a finished or abandoned stream."""
    return max(_READER_RETENTION_FACTOR * retention, _MIN_READER_RETENTION)


def check_epoch(actual: int | None, expected: int | None) -> None:
    """Checks the epoch of a stream.

    Args:
        actual: the stream's epoch; None if it does not exist.
        expected: the epoch that it must have; None accepts any, and a missing stream.

    """
    if expected is None:
        return
    if actual is None:
        raise not_found()
    if actual != expected:
        raise EpochMismatchError(f"the stream was created again and has epoch {actual}", epoch=actual)


def not_found() -> StreamNotFoundError:
    """Returns the error for a missing stream."""
    return StreamNotFoundError("the stream does not exist")


def check_position(check: Check | None, *, end: int, checksum_at: Callable[[int], int]) -> None:
    """Checks that the log contains a client's position.

    Args:
        check: the checked offset and checksum of the position; None for no position.
        end: the end offset of the log.
        checksum_at: returns the checksum of the log at an offset up to its end.

    """
    if check is None:
        return
    if check.offset > end:
        raise diverged(f"it ends at offset {end}, before offset {check.offset}", end)
    if checksum_at(check.offset) != check.checksum:
        raise diverged(f"its events before offset {check.offset} do not match the position", end)


def diverged(problem: str, end: int) -> StreamDivergedError:
    """Returns the error for a log that differs from what the client knows."""
    return StreamDivergedError(f"the log of the stream has diverged: {problem}", next_offset=end)


def check_publisher(publisher: int | None, *, owner: int, end: int) -> None:
    """Checks that a publisher is not fenced.

    Args:
        publisher: its number; 0 to draw one, None without a number.
        owner: the number that has claimed the stream; 0 before the first claim.
        end: the end offset of the log.

    """
    if owner and publisher != 0 and (publisher is None or publisher < owner):
        raise PublisherFencedError(
            "a newer publisher has claimed the stream: only the latest one can append", next_offset=end
        )


def draw(drawn: int, now: float) -> int:
    """Draws a number for a publisher.

    Args:
        drawn: the highest number that was drawn or has claimed the stream.
        now: the Unix time. It keeps a store that has lost its latest numbers from drawing one of them again.

    """
    return min(max(drawn + 1, int(now * 1_000_000)), MAX_PUBLISHER)


def repeated_events(append: Append, end: int) -> Sequence[bytes]:
    """Returns the events of an append that a log with this end offset must already contain."""
    return () if append.first_offset is None else append.events[: max(end - append.first_offset, 0)]


def check_repeated(append: Append, events: Sequence[bytes], *, end: int) -> None:
    """Checks that the repeated events of an append are those in the log.

    Args:
        append: the request.
        events: the log's events from `first_offset` on, as many as `repeated_events` returns.
        end: the end offset of the log.

    """
    assert append.first_offset is not None
    for index, event in enumerate(events):
        if event != append.events[index]:
            raise diverged(f"it has another event at offset {append.first_offset + index}", end)


def new_events(append: Append, *, end: int, finished: bool, failure: Failure | None) -> Sequence[bytes]:
    """Returns the events of an append that the log does not contain yet.

    Args:
        append: the request.
        end: the end offset of the log.
        finished: whether the stream has ended.
        failure: why it failed, if it did.

    """
    events, first_offset = append.events, append.first_offset
    if first_offset is not None:
        if first_offset > end:
            raise OffsetGapError(
                f"offset {first_offset} is beyond the end of the stream, offset {end}", next_offset=end
            )
        last = first_offset + len(events)
        if append.end_of_stream and last < end:
            raise OffsetGapError(f"the stream cannot end at offset {last}: its log ends at {end}", next_offset=end)
        events = events[end - first_offset :]
    if finished and (events or (append.end_of_stream and append.failure != failure)):
        how = f"failed at offset {end} with reason {failure.reason!r}" if failure else f"ended at offset {end}"
        raise StreamFinishedError(f"the stream has {how}", next_offset=end)
    return events


def check_size(size: int, max_stream_bytes: int) -> None:
    """Checks the size of a stream's events."""
    if size > max_stream_bytes:
        raise StreamFullError(
            f"the stream would have {size} bytes, more than the maximum of {max_stream_bytes}",
            max_stream_bytes=max_stream_bytes,
        )


def events_up_to(events: Sequence[bytes], start: int, max_bytes: int) -> Sequence[bytes]:
    """Returns the events from index `start` on up to `max_bytes`, and at least one if any is left."""
    stop, room = start, max_bytes
    while chunk := events[stop : stop + _CHUNK]:
        ends = list(accumulate(map(len, chunk)))
        if ends[-1] > room:
            stop += bisect_right(ends, room)
            break
        stop, room = stop + len(chunk), room - ends[-1]
    return events[start : max(stop, start + 1)]


def check_past_end(start_offset: int, *, end: int, finished: bool) -> None:
    """Checks that the stream can still get an event at `start_offset`."""
    if finished and start_offset > end:
        raise OffsetOutOfRangeError(
            f"offset {start_offset} is beyond the end of the finished stream, offset {end}", next_offset=end
        )


def abandoned(end: int, abandon_after: float) -> StreamAbandonedError:
    """Returns the error for a reader that waits at the end of an abandoned stream."""
    return StreamAbandonedError(
        f"the stream has had no publisher for {abandon_after:g} seconds: its log ends at offset {end}", next_offset=end
    )
