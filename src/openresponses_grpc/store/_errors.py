"""The errors that end a call with a status, and those of stores among them."""

from __future__ import annotations

from typing import ClassVar


class ServiceError(Exception):
    """The base of all errors that end a call with a status.

    Attributes:
        reason: the error's name for programs (the `reason` of a `google.rpc.ErrorInfo`); empty if it has none.
        retryable: whether the same call can succeed later (the status has a `google.rpc.RetryInfo`).
        metadata: the figures behind it, for programs.

    """

    reason: ClassVar[str] = ""
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, **metadata: int) -> None:
        super().__init__(message)
        self.metadata = {name: str(value) for name, value in metadata.items()}


class StreamStateError(ServiceError):
    """The stream is not in the state that the call needs."""


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
    retryable = True


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


class StoreUnavailableError(ServiceError):
    """The store cannot be reached or written at the moment; what was asked of it may or may not be stored."""

    retryable = True


class InvalidRequestError(ServiceError):
    """A field of a request has an invalid value.

    Attributes:
        field: the field, as `google.rpc.BadRequest` names it: `stream_id`, `events[2]`.

    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field


class InvalidPageTokenError(InvalidRequestError):
    """The page token was not made by this store."""

    def __init__(self, problem: str) -> None:
        super().__init__("page_token", problem)


class OpenStoreError(Exception):
    """The store cannot be opened; the text says what to do about it."""
