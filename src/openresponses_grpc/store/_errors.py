"""The errors that end a call with a status, including those of stores."""

from __future__ import annotations

from typing import ClassVar


class ServiceError(Exception):
    """The base of all errors that end a call with a status.

    Attributes:
        reason: the machine-readable reason, sent in a `google.rpc.ErrorInfo`; may be empty.
        retryable: whether a retry may succeed; the status then has a `google.rpc.RetryInfo`.
        metadata: the values behind the error, for programs.

    """

    reason: ClassVar[str] = ""
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, **metadata: int) -> None:
        super().__init__(message)
        self.metadata = {name: str(value) for name, value in metadata.items()}


class StreamStateError(ServiceError):
    """The state of the stream or the store does not permit the operation."""


class OffsetGapError(StreamStateError):
    """The offset of the request is beyond the end of the stream, `next_offset`."""

    reason = "OFFSET_GAP"


class EpochMismatchError(StreamStateError):
    """The stream was deleted and created again: its epoch is `epoch`."""

    reason = "EPOCH_MISMATCH"


class StreamNotFoundError(StreamStateError):
    """The stream does not exist."""

    reason = "STREAM_NOT_FOUND"


class StreamFinishedError(StreamStateError):
    """The stream has ended at `next_offset`: it accepts no more events and no other ending."""

    reason = "STREAM_FINISHED"


class PublisherFencedError(StreamStateError):
    """A newer publisher has claimed the stream, which ends at `next_offset`."""

    reason = "PUBLISHER_FENCED"


class StreamDivergedError(StreamStateError):
    """The log, which ends at `next_offset`, does not contain the position or the events of the request."""

    reason = "STREAM_DIVERGED"


class DataLossError(StreamStateError):
    """The stored events are damaged from `offset` on."""

    reason = "DATA_LOSS"


class StreamAbandonedError(StreamStateError):
    """The stream has had no publisher for too long; its log ends at `next_offset` without an end of stream."""

    reason = "STREAM_ABANDONED"


class OffsetOutOfRangeError(StreamStateError):
    """The requested offset is beyond the end of a finished stream, `next_offset`."""

    reason = "OFFSET_OUT_OF_RANGE"


class StoreFullError(StreamStateError):
    """The store is full, and nothing can be evicted."""

    reason = "STORE_FULL"
    retryable = True


class ShareExceededError(StoreFullError):
    """The tenant has used its share of the store, and the rest is in use or reserved.

    Attributes:
        tenant: the name of its token.

    """

    reason = "SHARE_EXCEEDED"

    def __init__(self, message: str, *, tenant: str, **metadata: int) -> None:
        super().__init__(message, **metadata)
        self.tenant = tenant


class StreamFullError(StreamStateError):
    """The stream would exceed the maximum size of one stream, `max_stream_bytes`."""

    reason = "STREAM_FULL"


class OffsetTrimmedError(StreamStateError):
    """The log has dropped the events before `oldest_offset`."""

    reason = "OFFSET_TRIMMED"


class StoreUnavailableError(ServiceError):
    """The store cannot be reached or written; the requested change may or may not be stored."""

    retryable = True


class InvalidRequestError(ServiceError):
    """A field of the request has an invalid value.

    Attributes:
        field: the path of the field, as in `google.rpc.BadRequest`: `stream_id`, `events[2]`.

    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field


class InvalidPageTokenError(InvalidRequestError):
    """The page token was not issued by this store."""

    def __init__(self, problem: str) -> None:
        super().__init__("page_token", problem)


class OpenStoreError(Exception):
    """The store cannot be opened; the text says what to do."""
