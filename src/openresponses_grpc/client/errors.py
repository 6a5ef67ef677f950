"""What a client raises when publishing or subscribing has failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

_FAILED_WRITE: Final = "Internal error from Core"
"""With INTERNAL, what grpc.aio puts in the place of the status of a call that ends while a message is written."""


class StreamError(Exception):
    """Publishing or subscribing has ended, for a reason that trying again does not heal.

    Attributes:
        code: the gRPC status code.
        reason: what a program can tell the case by, such as `STREAM_NOT_FOUND`; empty where the server gave none.
        metadata: the figures behind it, such as `expected_offset`.
        retry_after: seconds after which the server asks to try again; None where it does not.

    """

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        *,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.retry_after = retry_after

    @property
    def heals(self) -> bool:
        """Whether a new call may succeed: the server is away or going, cut the call off, or asks to try again."""
        return self.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED) or self.retry_after is not None


def stream_error(error: grpc.RpcError) -> StreamError:
    """The StreamError of a call that failed, with the details that the server sent."""
    assert isinstance(error, (grpc.Call, grpc.aio.AioRpcError))
    code = error.code()
    if code is grpc.StatusCode.INTERNAL and error.details() == _FAILED_WRITE:
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
    return StreamError(code, error.details() or "", reason=reason, metadata=metadata, retry_after=retry_after)
