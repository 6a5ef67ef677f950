"""The errors that clients raise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from ._advice import advice

_FAILED_WRITE: Final = "Internal error from Core"
"""With INTERNAL, what grpc.aio puts in the place of the status of a call that ends while a message is written."""


class StreamError(Exception):
    """A call failed, and a retry cannot heal it.

    Attributes:
        code: the gRPC status code.
        reason: the case, for programs, such as `STREAM_NOT_FOUND`; empty where the server gave none.
        metadata: the figures behind it, such as `next_offset`.
        stream_id: the stream; empty for a call without one.
        server: the server, as the client was given it.
        retry_after: seconds after which the server asks for a retry; None where it does not.
        details: the text of the status, without the place and without advice.

    """

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        *,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        stream_id: str = "",
        server: str = "",
        retry_after: float | None = None,
        details: str = "",
    ) -> None:
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.stream_id = stream_id
        self.server = server
        self.retry_after = retry_after
        self.details = details or message

    @property
    def retryable(self) -> bool:
        """Whether a new call may succeed: the server is away or stopping, cut the call off, or asks for a retry."""
        return self.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED) or self.retry_after is not None


class StreamFailedError(StreamError):
    """The stream ended in failure; its subscriber has received all of its events.

    Attributes:
        reason: the publisher's reason, such as `UPSTREAM_TIMEOUT`.
        message: the publisher's explanation; may be empty.

    """

    def __init__(self, stream_id: str, server: str, offset: int, reason: str, message: str) -> None:
        explanation = f": {message}" if message else ""
        super().__init__(
            grpc.StatusCode.ABORTED,
            f"{place(stream_id, server)} failed at offset {offset} with {reason}{explanation}",
            reason=reason,
            stream_id=stream_id,
            server=server,
        )
        self.message = message


def place(stream_id: str, server: str, offset: int | None = None) -> str:
    """Names a stream and its server for an error: `stream 's' at localhost:50051, offset 7`."""
    stream = f"stream {stream_id!r} at {server}" if stream_id else f"server {server}"
    return stream if offset is None else f"{stream}, offset {offset}"


def stream_error(
    error: grpc.RpcError, *, server: str, secure: bool, stream_id: str = "", offset: int | None = None
) -> StreamError:
    """The StreamError of a failed call.

    Args:
        error: the status that gRPC raised.
        server: the server.
        secure: whether the client uses TLS.
        stream_id: the stream; empty for a call without one.
        offset: the offset that the call had reached; None before its first response.

    """
    assert isinstance(error, (grpc.Call, grpc.aio.AioRpcError))
    code, details = error.code(), error.details() or ""
    if code is grpc.StatusCode.INTERNAL and details == _FAILED_WRITE:
        # Most often the connection broke; whatever it was, the next call gets its status.
        code = grpc.StatusCode.UNAVAILABLE
    reason, metadata, retry_after = "", None, None
    rich = rpc_status.from_call(error)
    for detail in rich.details if rich else ():
        info = error_details_pb2.ErrorInfo()
        retry = error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            reason, metadata = info.reason, info.metadata
        elif detail.Unpack(retry):
            retry_after = retry.retry_delay.ToTimedelta().total_seconds()
    hint = advice(code, reason, details, server=server, secure=secure)
    return StreamError(
        code,
        f"{place(stream_id, server, offset)}: {details}" + (f"; {hint}" if hint else ""),
        reason=reason,
        metadata=metadata,
        stream_id=stream_id,
        server=server,
        retry_after=retry_after,
        details=details,
    )
