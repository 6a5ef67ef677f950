"""The interface between the service and the logs."""

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
        max_bytes: bytes for all streams together; each store has its own way to count what it keeps beside the events.
        max_streams: streams at one time.
        max_stream_bytes: bytes of the events of one stream.
        retention: seconds that a finished or abandoned stream can be replayed for; a reader who is there may keep
            it for longer.
        abandon_after: seconds without a publisher after which the readers of an unfinished stream are told so.

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
    """What a log must have: this checksum of all events before this offset."""

    offset: int
    """The number of events that the checksum covers."""
    checksum: int
    """The CRC-32 of the events."""


class Append(NamedTuple):
    """A request to append events to a stream.

    Attributes:
        stream_id: the stream; it is created unless `epoch` is set.
        events: serialized events; those that the log has already (by `first_offset`) are compared with it and dropped.
        first_offset: the offset of `events[0]`; None appends at the end.
        end_of_stream: whether the stream ends after these events.
        failure: why it ends, if it ends in failure.
        epoch: the epoch that the stream must have; None for any.
        check: what the log must have; needs `epoch`.
        publisher: 0 draws a number; another value claims the stream with a number that was drawn, and needs `epoch`;
            None appends to a stream that nobody has claimed.
        tenant: who appends: the stream counts for its share if this creates it.

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
        end_of_stream: whether the stream has ended there for good.
        failure: why, if it has ended in failure.
        publisher: the number that was drawn, if one was asked for.

    """

    next_offset: int
    epoch: int
    checksum: int
    end_of_stream: bool = False
    failure: Failure | None = None
    publisher: int | None = None


class Batch(NamedTuple):
    """A run of events of a stream.

    Attributes:
        first_offset: the offset of the first event, or of the next one where there are none.
        events: the serialized events, as they were appended.
        end_of_stream: whether the stream ends after these events.
        epoch: the stream's epoch; 0 while the stream does not exist.
        end: the offset at which the stream ended when it was read.
        checksum: the checksum of all events up to the last of these; None where the log does not reach `first_offset`.
        failure: why the stream has ended, if it ends here in failure.

    """

    first_offset: int
    events: Sequence[bytes] = ()
    end_of_stream: bool = False
    epoch: int = 0
    end: int = 0
    checksum: int | None = None
    failure: Failure | None = None


class State(Enum):
    """Whether a stream can still grow, and if not, why."""

    OPEN = 1
    """The stream has not ended."""
    COMPLETE = 2
    """The stream has ended, and the log has all of its events."""
    FAILED = 3
    """The stream has ended in failure."""
    ABANDONED = 4
    """The stream has not ended, and has had no publisher for `StoreLimits.abandon_after`."""


class StreamInfo(NamedTuple):
    """A stream, without its events; the times are in seconds since 1970.

    Attributes:
        first_offset: the offset of the oldest event that the log has.
        next_offset: the offset after the newest event.
        event_bytes: bytes of its events.
        expires_at: when it will be dropped; None while it is open.

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
    """A page of the list of streams; the token of the next page is empty after the last one."""

    streams: Sequence[StreamInfo]
    """The streams of the page."""
    next_page_token: str
    """The token of the next page."""


class Store(Protocol):
    """Keeps an append-only log for each stream.

    Every method may raise a StreamStateError, and a StoreUnavailableError where the store is kept outside of the
    process and cannot be reached.
    """

    def divide(self, shares: Mapping[str, Shares]) -> None:
        """Divides the room among tenants, instead of the division before.

        Open streams beyond a share are refused where their room is reserved for others, and finished streams of the
        tenant furthest over its share are dropped first. Raises SharesError, and changes nothing, if the shares are
        more than there is.
        """

    def publishing(self, stream_id: str, epoch: int) -> AbstractAsyncContextManager[None]:
        """Tells the store that a publisher of a stream is there for as long as the context lasts.

        Raises StreamNotFoundError if the stream with this epoch does not exist.
        """

    def reading(self, stream_id: str) -> AbstractContextManager[None]:
        """Tells the store that a reader of a stream is there for as long as the context lasts.

        A finished or abandoned stream does not expire while it is read, for up to `read_on` seconds of `rules.py`.
        """

    async def append(self, append: Append) -> End:
        """Appends events, and returns once they are stored as safely as this store stores.

        The number of a publisher claims the stream atomically with its events, and also where the events are refused
        for their offset or their size.
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
        """Returns the events from `start_offset` on that are there, at least one and up to `max_bytes` of them.

        Where there are none yet it waits for the first, up to `timeout` seconds, and then returns a batch without
        events. Without `epoch` and `must_exist` it waits for the stream itself, too. It never waits for a log that
        does not have what `check` says: that raises StreamDivergedError at once. Events that are damaged raise
        DataLossError, after those before them have been returned.
        """

    async def info(self, stream_id: str) -> StreamInfo:
        """Describes a stream; raises StreamNotFoundError if it does not exist."""

    async def list(self, page_size: int, page_token: str, visible: Callable[[str], bool]) -> Page:
        """A page of up to `page_size` of the streams whose id is `visible`; may be empty even if there are more pages.

        Raises InvalidPageTokenError for a token that it has not made; the first page has an empty one.
        """

    async def delete(self, stream_id: str, epoch: int | None) -> None:
        """Deletes a stream; raises StreamNotFoundError if it does not exist."""

    async def check(self) -> None:
        """Writes something that nobody reads; raises StoreUnavailableError if the store cannot write.

        A store that is full by its own limit can.
        """
