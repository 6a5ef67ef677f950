"""Errors of the clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from ._advice import advice

LOST_STATUSES: Final = ("Internal error from Core", "picker is null -- shouldn't happen")
"""gRPC's client itself reports INTERNAL with one of these texts. Neither is a status from the server.

grpc.aio reports the first one if a call ends during a write. gRPC's core reports the second one if a call starts while
its channel becomes idle (https://github.com/grpc/grpc/pull/36167).
"""


class StreamError(Exception):
    """A call failed. Clients raise it only if a retry cannot succeed or a timeout has passed.

    Attributes:
        code: gRPC status code.
        reason: machine-readable reason, such as `STREAM_NOT_FOUND`; empty if the server sent none.
        metadata: values that belong to the reason, such as `next_offset`.
        stream_id: id of the stream; empty for a call without a stream.
        server: server address, as passed to the client.
        retry_after: seconds after which the server asks the client to retry; None if it does not.
        details: text of the gRPC status, without stream, server and advice.

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
        """Whether a retry may succeed: the server is unavailable, aborted the call, or asked for a retry."""
        return self.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED) or self.retry_after is not None


class StreamFailedError(StreamError):
    """The stream ended in failure. The subscriber has received all of its events.

    Attributes:
        reason: reason from the publisher, such as `UPSTREAM_TIMEOUT`.
        message: explanation from the publisher; may be empty.

    """

    def __init__(self, stream_id: str, server: str, offset: int, reason: str, message: str) -> None:
        explanation = f": {message}" if message else ""
        super().__init__(
            grpc.StatusCode.ABORTED,
            f"{location(stream_id, server)} failed at offset {offset} with {reason}{explanation}",
            reason=reason,
            stream_id=stream_id,
            server=server,
        )
        self.message = message


def location(stream_id: str, server: str, offset: int | None = None) -> str:
    """Returns the stream and the server for an error message: `stream 's' at localhost:50051, offset 7`."""
    stream = f"stream {stream_id!r} at {server}" if stream_id else f"server {server}"
    return stream if offset is None else f"{stream}, offset {offset}"


def stream_error(
    error: grpc.RpcError, *, server: str, secure: bool, stream_id: str = "", offset: int | None = None
) -> StreamError:
    """Converts gRPC's error of a failed call.

    Args:
        error: the error that gRPC raised.
        server: server address.
        secure: whether the client uses TLS.
        stream_id: id of the stream; empty for a call without a stream.
        offset: next offset of the call; None before its first response.

    """
    assert isinstance(error, (grpc.Call, grpc.aio.AioRpcError))
    code, details = error.code(), error.details() or ""
    if code is grpc.StatusCode.INTERNAL and details in LOST_STATUSES:
        # The retry of Recovery gets the real status.
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
        f"{location(stream_id, server, offset)}: {details}" + (f"; {hint}" if hint else ""),
        reason=reason,
        metadata=metadata,
        stream_id=stream_id,
        server=server,
        retry_after=retry_after,
        details=details,
    )
