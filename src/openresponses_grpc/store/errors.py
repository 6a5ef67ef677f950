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
    """The offset published at is not the stream's end; `expected_offset` is."""

    reason = "OFFSET_GAP"


class EpochMismatchError(StreamStateError):
    """The stream was created anew: its `epoch` is another."""

    reason = "EPOCH_MISMATCH"


class StreamNotFoundError(StreamStateError):
    """The stream that is to be resumed does not exist, or no longer."""

    reason = "STREAM_NOT_FOUND"


class StreamFinishedError(StreamStateError):
    """The stream has ended, at `next_offset`; nothing can be appended."""

    reason = "STREAM_FINISHED"


class StreamAbandonedError(StreamStateError):
    """The stream's publisher is gone for too long; its events end at `next_offset` without an end of stream."""

    reason = "STREAM_ABANDONED"


class OffsetOutOfRangeError(StreamStateError):
    """The stream has ended before the offset that is to be read, at `next_offset`."""

    reason = "OFFSET_OUT_OF_RANGE"


class StoreFullError(StreamStateError):
    """There is no room for the events, and nothing that may be dropped for them."""

    reason = "STORE_FULL"


class StreamFullError(StreamStateError):
    """The stream would have more bytes than one stream may have, `max_stream_bytes`."""

    reason = "STREAM_FULL"


class OffsetTrimmedError(StreamStateError):
    """The events up to `oldest_offset` are gone from the log."""

    reason = "OFFSET_TRIMMED"


class StoreUnavailableError(Exception):
    """The store cannot be reached or written at the moment; what was asked of it may or may not be stored."""


class OpenStoreError(Exception):
    """The store cannot be opened; the text says what to do about it."""
