"""What a store raises when a stream is not in the state that a call needs."""

from __future__ import annotations

from typing import ClassVar


class StreamStateError(Exception):
    """A stream is not in the state that a call needs.

    Attributes:
        reason: the state, as machines read it (the `reason` of a `google.rpc.ErrorInfo`).
        metadata: the figures behind it.

    """

    reason: ClassVar[str]

    def __init__(self, message: str, **metadata: int) -> None:
        super().__init__(message)
        self.metadata = {name: str(value) for name, value in metadata.items()}


class OffsetGapError(StreamStateError):
    """The request's offset is beyond the stream's end, `next_offset`."""

    reason = "OFFSET_GAP"


class EpochMismatchError(StreamStateError):
    """The stream was created again: it has another epoch, `epoch`."""

    reason = "EPOCH_MISMATCH"


class StreamNotFoundError(StreamStateError):
    """The stream does not exist, or no longer exists."""

    reason = "STREAM_NOT_FOUND"


class StreamFinishedError(StreamStateError):
    """The stream has ended, at `next_offset`: nothing can be appended, and it cannot end another way."""

    reason = "STREAM_FINISHED"


class PublisherFencedError(StreamStateError):
    """A newer publisher has claimed the stream, which ends at `next_offset`."""

    reason = "PUBLISHER_FENCED"


class StreamDivergedError(StreamStateError):
    """The log, which ends at `next_offset`, is not the one that the request's position or events belong to."""

    reason = "STREAM_DIVERGED"


class DataLossError(StreamStateError):
    """Events are damaged in the store, from `offset` on."""

    reason = "DATA_LOSS"


class StreamAbandonedError(StreamStateError):
    """The stream's publisher is gone for too long; its events end at `next_offset` without an end of stream."""

    reason = "STREAM_ABANDONED"


class OffsetOutOfRangeError(StreamStateError):
    """The stream has ended before the offset that is to be read, at `next_offset`."""

    reason = "OFFSET_OUT_OF_RANGE"


class StoreFullError(StreamStateError):
    """There is no room for the events, and nothing that may be dropped for them."""

    reason = "STORE_FULL"


class ShareExceededError(StoreFullError):
    """The tenant has at least its share, and nothing is free: the room that is left belongs to others.

    Attributes:
        tenant: the name of its token.

    """

    reason = "SHARE_EXCEEDED"

    def __init__(self, message: str, *, tenant: str, **metadata: int) -> None:
        super().__init__(message, **metadata)
        self.tenant = tenant


class StreamFullError(StreamStateError):
    """The stream would have more bytes than one stream may have, `max_stream_bytes`."""

    reason = "STREAM_FULL"


class OffsetTrimmedError(StreamStateError):
    """The events up to `oldest_offset` are gone from the log."""

    reason = "OFFSET_TRIMMED"


class StoreUnavailableError(Exception):
    """The store cannot be reached or written at the moment; what was asked of it may or may not be stored."""


class InvalidPageTokenError(Exception):
    """The page token was not made by this store."""


class OpenStoreError(Exception):
    """The store cannot be opened; the text says what to do about it."""
