"""The interface between the service and the logs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol


@dataclass(frozen=True, kw_only=True)
class StoreLimits:
    """How much a store keeps, and for how long.

    Attributes:
        max_bytes: bytes for all streams together; how a store counts what it keeps beside the events is its own.
        max_streams: streams at one time.
        max_stream_bytes: bytes of the events of one stream.
        keep_finished: seconds that a finished or abandoned stream can be replayed for.
        abandon_after: seconds without a publisher after which the readers of an unfinished stream are told so.

    """

    max_bytes: int = 256 << 20
    max_streams: int = 100_000
    max_stream_bytes: int = 64 << 20
    keep_finished: float = 300.0
    abandon_after: float = 60.0


class Position(NamedTuple):
    """The end of a stream: the offset of the next event, and the stream's epoch."""

    next_offset: int
    epoch: int


class Batch(NamedTuple):
    """A run of events of a stream.

    Attributes:
        first_offset: the offset of the first event, or of the next one where there are none.
        events: the serialized events, as they were appended.
        end_of_stream: whether the stream ends after these events.
        epoch: the stream's epoch; 0 while the stream does not exist.
        end: the offset at which the stream ended when it was read.

    """

    first_offset: int
    events: Sequence[bytes]
    end_of_stream: bool
    epoch: int
    end: int


class Store(Protocol):
    """Keeps an append-only log for each stream.

    Every method may raise a StreamStateError, and a StoreUnavailableError where the store is kept outside of the
    process and cannot be reached.
    """

    def publishing(self, stream_id: str) -> AbstractAsyncContextManager[None]:
        """Tells the store that a publisher is there for as long as the context lasts."""

    async def append(
        self,
        stream_id: str,
        events: Sequence[bytes],
        *,
        first_offset: int | None = None,
        end_of_stream: bool = False,
        epoch: int | None = None,
    ) -> Position:
        """Appends events, and returns once they are stored as safely as this store stores.

        Args:
            stream_id: the stream; it is created unless `epoch` is given.
            events: serialized events; those that the log has already (by `first_offset`) are dropped.
            first_offset: the offset of `events[0]`; None appends at the end.
            end_of_stream: whether the stream ends after these events.
            epoch: the epoch that the stream must have; None for any.

        """

    async def read(
        self, stream_id: str, start_offset: int, *, epoch: int | None, max_bytes: int, timeout: float
    ) -> Batch:
        """Returns the events from `start_offset` on that are there, at least one and up to `max_bytes` of them.

        Where there are none yet it waits for the first, up to `timeout` seconds, and then returns a batch without
        events. Without `epoch` it waits for the stream itself, too.
        """
