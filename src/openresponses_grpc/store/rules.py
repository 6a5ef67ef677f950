"""What every store holds to when it appends and reads. Pure: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Sequence

from .errors import (
    EpochMismatchError,
    OffsetGapError,
    OffsetOutOfRangeError,
    StreamAbandonedError,
    StreamFinishedError,
    StreamFullError,
    StreamNotFoundError,
)


def check_epoch(actual: int | None, expected: int | None) -> None:
    """Checks that the stream is the one that is meant.

    Args:
        actual: the stream's epoch; None where there is no such stream.
        expected: the epoch that it must have; None for any, and for none.

    """
    if expected is None:
        return
    if actual is None:
        raise StreamNotFoundError("the stream does not exist any more")
    if actual != expected:
        raise EpochMismatchError(f"the stream was created anew: its epoch is {actual}", epoch=actual)


def new_events(
    events: Sequence[bytes], *, end: int, finished: bool, first_offset: int | None, end_of_stream: bool
) -> Sequence[bytes]:
    """Those of the events to be appended that the log does not have.

    Args:
        events: the events, as they were published.
        end: the offset at which the log ends.
        finished: whether it has ended there for good.
        first_offset: the offset of `events[0]`; None for the log's end.
        end_of_stream: whether the stream is to end after the events.

    """
    if first_offset is not None:
        if first_offset > end:
            raise OffsetGapError(
                f"offset {first_offset} is beyond the end of the stream: the next offset is {end}", expected_offset=end
            )
        last = first_offset + len(events)
        if end_of_stream and last < end:
            raise OffsetGapError(
                f"the stream cannot end at offset {last}: the next offset is {end}", expected_offset=end
            )
        events = events[end - first_offset :]
    if finished and events:
        raise StreamFinishedError(f"the stream has ended at offset {end}", next_offset=end)
    return events


def check_size(size: int, max_stream_bytes: int) -> None:
    """Checks that a stream's events may have `size` bytes."""
    if size > max_stream_bytes:
        raise StreamFullError(
            f"the stream would have {size} bytes; one stream has up to {max_stream_bytes}",
            max_stream_bytes=max_stream_bytes,
        )


def take(events: Sequence[bytes], start: int, max_bytes: int) -> Sequence[bytes]:
    """The events from the index `start` on, where there are any at least one, and up to `max_bytes` of them."""
    stop = start
    size = 0
    while stop < len(events):
        size += len(events[stop])
        if size > max_bytes and stop > start:
            break
        stop += 1
    return events[start:stop]


def check_past_end(start_offset: int, *, end: int, finished: bool) -> None:
    """Checks that there can ever be an event at `start_offset`, where the log has none."""
    if finished and start_offset > end:
        raise OffsetOutOfRangeError(
            f"offset {start_offset} is beyond the end of the finished stream, {end}", next_offset=end
        )


def abandoned(end: int, abandon_after: float) -> StreamAbandonedError:
    """The error for a reader who waits at the end of a stream that nobody publishes any more."""
    return StreamAbandonedError(
        f"no publisher for {abandon_after:g} seconds: the stream stops at offset {end}", next_offset=end
    )
