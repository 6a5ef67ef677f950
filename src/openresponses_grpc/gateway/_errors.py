"""Errors, as HTTP responses with the API's JSON and as `error` events. Pure: no I/O."""

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
"""The mapping of `google.rpc.Code`. The SDKs retry 409, 429 and 5xx; other errors are not retryable."""

_TYPES: Final[Mapping[int, str]] = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
}
_GRPC_CODES: Final = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL)
"""Codes that gRPC itself raises. Without a reason, the text is gRPC's own and may contain the server's address."""


class RequestError(Exception):
    """A request is invalid.

    Attributes:
        param: name of the query parameter or header.
        code: machine-readable error code.

    """

    def __init__(self, message: str, param: str, code: str = "INVALID_REQUEST") -> None:
        super().__init__(message)
        self.param = param
        self.code = code


class TokenError(Exception):
    """A request's bearer token is malformed."""


class HostError(Exception):
    """A request's Host is not allowed by `local_only`."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"Host {host!r} is not allowed: this gateway accepts only localhost and loopback addresses; start it with"
            " --insecure to accept any Host"
        )


class ShuttingDownError(Exception):
    """The gateway is shutting down."""

    def __init__(self) -> None:
        super().__init__("the gateway is shutting down")


class StoredEventError(Exception):
    """A stored event cannot be written as JSON."""

    def __init__(self, offset: int, error: EventError) -> None:
        super().__init__(f"the event at offset {offset} cannot be written as JSON: {error}")


class Problem(NamedTuple):
    """An error as reported to the HTTP client.

    Attributes:
        status: HTTP status.
        code: machine-readable error code.
        message: human-readable explanation.
        param: name of the query parameter or header at fault; None for other errors.
        retry_after: seconds after which the client should retry; None if it should not.

    """

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


def to_problem(error: BaseException) -> Problem | None:
    """Converts an error to the problem to report; returns None for unexpected errors."""
    match error:
        case RequestError():
            return Problem(400, error.code, str(error), error.param)
        case TokenError():
            return Problem(401, "TOKEN_UNKNOWN", str(error), "Authorization")
        case HostError():
            return Problem(403, "HOST_NOT_LOCAL", str(error), "Host")
        case ShuttingDownError():
            return Problem(503, "SHUTTING_DOWN", str(error), retry_after=1)
        case StoredEventError():
            return Problem(500, "INVALID_EVENT", str(error))
        case StreamFailedError():
            return Problem(HTTP_STATUSES[error.code], error.reason, error.message or error.reason)
        case StreamError():
            return _stream_problem(error)
    return None


def _stream_problem(error: StreamError) -> Problem:
    status, retry_after = HTTP_STATUSES[error.code], error.retry_after
    message = error.details
    if error.code in _GRPC_CODES and not error.reason and retry_after is None:
        message = "the stream server is unavailable" if status == 503 else "the stream server failed"
    if status == 503 and retry_after is None:
        retry_after = 1
    return Problem(status, error.reason or error.code.name, message, None, retry_after)
