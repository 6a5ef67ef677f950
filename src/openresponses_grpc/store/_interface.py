"""The interface between the service and its store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol

from ._shares import Shares


@dataclass(frozen=True, kw_only=True)
class StoreLimits:
    """How much a store keeps, and for how long.

    Attributes:
        max_bytes: the maximum bytes of all streams, including an overhead per event and stream.
        max_streams: the maximum number of streams.
        max_stream_bytes: the maximum bytes of the events of one stream.
        retention: seconds for which a finished or abandoned stream can be read; connected readers may keep it longer.
        abandon_after: seconds without a publisher after which an open stream is abandoned.

    """

    max_bytes: int = 256 << 20
    max_streams: int = 100_000
    max_stream_bytes: int = 64 << 20
    retention: float = 300.0
    abandon_after: float = 60.0


class Failure(NamedTuple):
    """Why a stream ended before its response was complete."""

    reason: str
    """A short name of the case for programs, such as `UPSTREAM_TIMEOUT`."""
    message: str
    """A text for people; may be empty."""


class Check(NamedTuple):
    """A condition on a log: the checksum of all events before an offset."""

    offset: int
    """The number of events that the checksum covers."""
    checksum: int
    """The CRC-32 of the events."""


class Append(NamedTuple):
    """A request to append events to a stream.

    Attributes:
        stream_id: the stream; it is created if it does not exist, unless `epoch` is set.
        events: the serialized events; those already in the log (by `first_offset`) are compared with it and dropped.
        first_offset: the offset of `events[0]`; None appends at the end.
        end_of_stream: whether the stream ends after these events.
        failure: why the stream failed; None ends it as complete.
        epoch: the epoch that the stream must have; None for any.
        check: a condition on the log; requires `epoch`.
        publisher: 0 draws a number; a drawn number claims the stream and requires `epoch`; None appends to a stream
            that has not been claimed.
        tenant: the tenant whose share the stream uses if this request creates it.

    """

    stream_id: str
    events: Sequence[bytes] = ()
    first_offset: int | None = None
    end_of_stream: bool = False
    failure: Failure | None = None
    epoch: int | None = None
    check: Check | None = None
    publisher: int | None = None
    tenant: str = ""


class End(NamedTuple):
    """The end of a stream.

    Attributes:
        next_offset: the offset of the next event.
        epoch: the stream's epoch.
        checksum: the checksum of all events.
        end_of_stream: whether the stream has ended.
        failure: why it failed, if it did.
        publisher: the number drawn, if one was requested.

    """

    next_offset: int
    epoch: int
    checksum: int
    end_of_stream: bool = False
    failure: Failure | None = None
    publisher: int | None = None


class Batch(NamedTuple):
    """Consecutive events of a stream.

    Attributes:
        first_offset: the offset of the first event; without events, the offset of the next one.
        events: the serialized events as appended.
        end_of_stream: whether the stream ends after these events.
        epoch: the stream's epoch; 0 while the stream does not exist.
        end: the end offset of the stream at the time of the read.
        checksum: the checksum of all events up to and including these; None if the log is shorter than `first_offset`.
        failure: why the stream failed, if it ends here in failure.

    """

    first_offset: int
    events: Sequence[bytes] = ()
    end_of_stream: bool = False
    epoch: int = 0
    end: int = 0
    checksum: int | None = None
    failure: Failure | None = None


class State(Enum):
    """The state of a stream."""

    OPEN = 1
    """The stream has not ended."""
    COMPLETE = 2
    """The stream has ended, and the log has all of its events."""
    FAILED = 3
    """The stream has ended in failure."""
    ABANDONED = 4
    """The stream has not ended, and has had no publisher for `StoreLimits.abandon_after`."""


class StreamInfo(NamedTuple):
    """A stream without its events; times are Unix times.

    Attributes:
        first_offset: the offset of the oldest event in the log.
        next_offset: the offset after the newest event.
        event_bytes: the bytes of its events.
        expires_at: when it expires; None while it is open.

    """

    stream_id: str
    """The id of the stream."""
    epoch: int
    """The epoch of the stream."""
    state: State
    """The state of the stream."""
    failure: Failure | None
    """Why the stream failed; None unless it has."""
    first_offset: int
    next_offset: int
    event_bytes: int
    created_at: float
    """When the stream was created."""
    updated_at: float
    """When the stream last changed: an append, or its end."""
    expires_at: float | None


class Page(NamedTuple):
    """A page of the list of streams; the token of the next page is empty on the last one."""

    streams: Sequence[StreamInfo]
    """The streams of the page."""
    next_page_token: str
    """The token of the next page."""


class Store(Protocol):
    """Keeps an append-only log for each stream.

    Every method may raise StreamStateError, and StoreUnavailableError if the store is outside of the process.
    """

    def divide(self, shares: Mapping[str, Shares]) -> None:
        """Divides the capacity among tenants; this replaces any earlier division.

        A tenant can exceed its share only with capacity that is not reserved for others, and a full store drops
        finished streams of the tenant furthest over its share first. Raises SharesError, and changes nothing, if the
        shares exceed the capacity.
        """

    def publishing(self, stream_id: str, epoch: int) -> AbstractAsyncContextManager[None]:
        """Registers a publisher of a stream while the context is open.

        Raises StreamNotFoundError if the stream with this epoch does not exist.
        """

    def reading(self, stream_id: str) -> AbstractContextManager[None]:
        """Registers a reader of a stream while the context is open.

        A finished or abandoned stream does not expire while it has readers, up to `reader_retention` (`_rules.py`).
        """

    async def append(self, append: Append) -> End:
        """Appends events; returns once they are as durable as the store makes them.

        A publisher's number claims the stream atomically with its events, and also if the events are refused for their
        offset or size.
        """

    async def read(
        self,
        stream_id: str,
        start_offset: int,
        *,
        epoch: int | None,
        check: Check | None = None,
        must_exist: bool = False,
        max_bytes: int,
        timeout: float,
    ) -> Batch:
        """Returns the available events from `start_offset` on: at least one, and up to `max_bytes`.

        At the end of the log, it waits up to `timeout` seconds for the next event, then returns a batch without events.
        Without `epoch` and `must_exist`, it also waits for the stream to be created. It never waits for a log that
        fails `check`, but raises StreamDivergedError at once. Damaged events raise DataLossError; the events before
        them are returned first.
        """

    async def info(self, stream_id: str) -> StreamInfo:
        """Describes a stream; raises StreamNotFoundError if it does not exist."""

    async def list(self, page_size: int, page_token: str, visible: Callable[[str], bool]) -> Page:
        """Returns a page of up to `page_size` streams with a `visible` id; it may be empty although more pages follow.

        The token of the first page is empty. Raises InvalidPageTokenError for a token that the store did not issue.
        """

    async def delete(self, stream_id: str, epoch: int | None) -> None:
        """Deletes a stream; raises StreamNotFoundError if it does not exist."""

    async def check(self) -> None:
        """Does a test write; raises StoreUnavailableError if the store is not writable.

        A store that has reached its own limit is writable.
        """
