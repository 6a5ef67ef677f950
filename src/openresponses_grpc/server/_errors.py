"""The errors with which the server itself ends calls: authentication, admission, timeouts, and shutdown."""

from __future__ import annotations

from ..store import ServiceError


class UnknownServiceError(ServiceError):
    """A health request names a service that the server does not have."""


class AccessError(ServiceError):
    """The caller is not authenticated or lacks a permission."""


class TokenMissingError(AccessError):
    """The call has no bearer token."""

    reason = "TOKEN_MISSING"


class TokenRepeatedError(AccessError):
    """The call has more than one `authorization` header."""

    reason = "TOKEN_REPEATED"


class TokenUnknownError(AccessError):
    """The server does not know the bearer token."""

    reason = "TOKEN_UNKNOWN"


class TokenExpiredError(AccessError):
    """The token expired before or during the call."""

    reason = "TOKEN_EXPIRED"


class TokenRevokedError(AccessError):
    """The token was removed from the server's tokens during the call."""

    reason = "TOKEN_REVOKED"


class NotPermittedError(AccessError):
    """The token does not permit this operation on this stream."""

    reason = "NOT_PERMITTED"


class CallEndedError(ServiceError):
    """The server ended the call although its requests were valid."""

    retryable = True


class ShuttingDownError(CallEndedError):
    """The server is shutting down."""

    reason = "SHUTTING_DOWN"


class TooManyCallsError(CallEndedError):
    """The limit on open calls is reached."""

    reason = "TOO_MANY_CALLS"


class CallShareExceededError(CallEndedError):
    """The tenant has used its share of the open calls, and the others are reserved.

    Attributes:
        tenant: the name of its token.

    """

    reason = "SHARE_EXCEEDED"

    def __init__(self, message: str, *, tenant: str) -> None:
        super().__init__(message)
        self.tenant = tenant


class PeerNotReadingError(CallEndedError):
    """The peer did not read a response in time."""

    reason = "PEER_NOT_READING"


class RequestTimeoutError(CallEndedError):
    """The peer did not send a complete request in time."""

    reason = "REQUEST_TIMEOUT"
