"""Errors as HTTP statuses with the API's JSON, and as `error` events. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import grpc

from ..client import StreamError, StreamFailedError
from ..errors import EventError

HTTP_STATUSES: Final[Mapping[grpc.StatusCode, int]] = {
    grpc.StatusCode.OK: 200,
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.UNKNOWN: 500,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DATA_LOSS: 500,
}
"""Those of `google.rpc.Code`. The SDKs retry after 409, 429 and 5xx, and so not where a retry cannot heal."""

_TYPES: Final[Mapping[int, str]] = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
}
_OF_GRPC: Final = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL)
"""The codes whose text, without a reason, is gRPC's own and may have the server's address in it."""


class RequestError(Exception):
    """A request is invalid.

    Attributes:
        param: the parameter or header.
        code: what a program can tell the case by.

    """

    def __init__(self, message: str, param: str, code: str = "INVALID_REQUEST") -> None:
        super().__init__(message)
        self.param = param
        self.code = code


class TokenError(Exception):
    """A request's token cannot be one."""


class HostError(Exception):
    """A request names another host than this machine's own."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"the Host header is {host!r}, and this gateway serves its own machine only, by localhost or a loopback"
            " address: send one of these as Host, or start the gateway with --insecure"
        )


class ShuttingDownError(Exception):
    """The gateway is to stop."""

    def __init__(self) -> None:
        super().__init__("the gateway is shutting down")


class EventFault(Exception):  # noqa: N818
    """A stored event has no JSON."""

    def __init__(self, offset: int, error: EventError) -> None:
        super().__init__(f"the event at offset {offset} has no JSON: {error}")


class Problem(NamedTuple):
    """An error, as a reader is told of it."""

    status: int
    code: str
    message: str
    param: str | None = None
    retry_after: float | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the HTTP response."""
        headers = {"cache-control": "no-store"}
        if self.retry_after is not None:
            headers["retry-after"] = f"{max(1, round(self.retry_after))}"
        if self.status == 401:
            headers["www-authenticate"] = "Bearer"
        return headers

    @property
    def body(self) -> dict[str, Any]:
        """The body of the HTTP response."""
        usual = "server_error" if self.status >= 500 else "invalid_request_error"
        error = {"message": self.message, "type": _TYPES.get(self.status, usual), "code": self.code}
        return {"error": error | {"param": self.param}}

    def event(self, sequence_number: int) -> bytes:
        """The `error` event of a stream."""
        event = {"type": "error", "code": self.code, "message": self.message, "param": self.param}
        text = json.dumps(event | {"sequence_number": sequence_number}, separators=(",", ":"))
        return b"event: error\ndata: %b\n\n" % text.encode()


def problem_of(error: BaseException) -> Problem | None:
    """The problem that an error is; None for one that is not foreseen."""
    match error:
        case RequestError():
            return Problem(400, error.code, str(error), error.param)
        case TokenError():
            return Problem(401, "TOKEN_UNKNOWN", str(error), "Authorization")
        case HostError():
            return Problem(403, "HOST_NOT_LOCAL", str(error), "Host")
        case ShuttingDownError():
            return Problem(503, "SHUTTING_DOWN", str(error), retry_after=1)
        case EventFault():
            return Problem(500, "INVALID_EVENT", str(error))
        case StreamFailedError():
            return Problem(HTTP_STATUSES[error.code], error.reason, error.message or error.reason)
        case StreamError():
            return _of_stream(error)
    return None


def _of_stream(error: StreamError) -> Problem:
    status, retry_after = HTTP_STATUSES[error.code], error.retry_after
    message = error.details
    if error.code in _OF_GRPC and not error.reason and retry_after is None:
        message = "the stream server cannot be reached" if status == 503 else "the stream server failed"
    if status == 503 and retry_after is None:
        retry_after = 1
    return Problem(status, error.reason or error.code.name, message, None, retry_after)
