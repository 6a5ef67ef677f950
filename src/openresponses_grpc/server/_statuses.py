"""Maps errors to gRPC statuses: a code, a message, and details (`google.rpc`)."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from typing import Final

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from ..store import (
    DataLossError,
    EpochMismatchError,
    InvalidRequestError,
    OffsetGapError,
    OffsetOutOfRangeError,
    OffsetTrimmedError,
    PublisherFencedError,
    ServiceError,
    ShareExceededError,
    StoreFullError,
    StoreUnavailableError,
    StreamAbandonedError,
    StreamDivergedError,
    StreamFinishedError,
    StreamFullError,
    StreamNotFoundError,
)
from ._errors import (
    CallShareExceededError,
    NotPermittedError,
    PeerNotReadingError,
    RequestTimeoutError,
    ShuttingDownError,
    TokenExpiredError,
    TokenMissingError,
    TokenRepeatedError,
    TokenRevokedError,
    TokenUnknownError,
    TooManyCallsError,
    UnknownServiceError,
)

ERROR_DOMAIN: Final = "openresponses_grpc.v1"
"""The `domain` of every `google.rpc.ErrorInfo` of this service."""

RETRY_SECONDS: Final = 1
"""The `retry_delay` of retryable errors."""

_logger = logging.getLogger(__package__)

CODES: Final[Mapping[type[Exception], grpc.StatusCode]] = {
    InvalidRequestError: grpc.StatusCode.INVALID_ARGUMENT,
    UnknownServiceError: grpc.StatusCode.NOT_FOUND,
    TokenMissingError: grpc.StatusCode.UNAUTHENTICATED,
    TokenRepeatedError: grpc.StatusCode.UNAUTHENTICATED,
    TokenUnknownError: grpc.StatusCode.UNAUTHENTICATED,
    TokenExpiredError: grpc.StatusCode.UNAUTHENTICATED,
    TokenRevokedError: grpc.StatusCode.UNAUTHENTICATED,
    NotPermittedError: grpc.StatusCode.PERMISSION_DENIED,
    OffsetGapError: grpc.StatusCode.ABORTED,
    EpochMismatchError: grpc.StatusCode.FAILED_PRECONDITION,
    PublisherFencedError: grpc.StatusCode.FAILED_PRECONDITION,
    StreamDivergedError: grpc.StatusCode.FAILED_PRECONDITION,
    DataLossError: grpc.StatusCode.DATA_LOSS,
    StreamAbandonedError: grpc.StatusCode.ABORTED,
    PeerNotReadingError: grpc.StatusCode.ABORTED,
    StreamNotFoundError: grpc.StatusCode.NOT_FOUND,
    StreamFinishedError: grpc.StatusCode.FAILED_PRECONDITION,
    OffsetOutOfRangeError: grpc.StatusCode.OUT_OF_RANGE,
    OffsetTrimmedError: grpc.StatusCode.OUT_OF_RANGE,
    ShareExceededError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    CallShareExceededError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    StoreFullError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    StreamFullError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    TooManyCallsError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    RequestTimeoutError: grpc.StatusCode.UNAVAILABLE,
    ShuttingDownError: grpc.StatusCode.UNAVAILABLE,
    StoreUnavailableError: grpc.StatusCode.UNAVAILABLE,
}
"""The status codes of the expected errors."""


def status_for(error: Exception) -> grpc.Status:
    """Returns the status with which an error ends a call.

    An unexpected error becomes INTERNAL with a random id. The log has the error under this id, for the operator.
    """
    if isinstance(error, StoreUnavailableError):
        _logger.error("the store is unavailable: %s", error)
    if (status := _expected(error)) is not None:
        return status
    error_id = secrets.token_hex(8)
    _logger.error("internal error %s", error_id, exc_info=error)
    return _status(grpc.StatusCode.INTERNAL, f"internal error {error_id}")


def _expected(error: Exception) -> grpc.Status | None:
    """Returns the status of an expected error; None for any other error.

    Its details are an `ErrorInfo` with reason and metadata, a `BadRequest` that names an invalid field, a
    `QuotaFailure` that names the token whose share is exceeded, and a `RetryInfo` if a retry may succeed: here, later,
    or at another server.
    """
    code = next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), None)
    if code is None or not isinstance(error, ServiceError):
        return None
    message = "the store is unavailable" if isinstance(error, StoreUnavailableError) else str(error)
    details: list[Message] = []
    if error.reason:
        details.append(error_details_pb2.ErrorInfo(reason=error.reason, domain=ERROR_DOMAIN, metadata=error.metadata))
    if isinstance(error, InvalidRequestError):
        message = f"{error.field}: {error}" if error.field else message
        violation = error_details_pb2.BadRequest.FieldViolation(field=error.field, description=str(error))
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    if isinstance(error, ShareExceededError | CallShareExceededError):
        quota = error_details_pb2.QuotaFailure.Violation(subject=f"token:{error.tenant}", description=message)
        details.append(error_details_pb2.QuotaFailure(violations=[quota]))
    if error.retryable:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.seconds = RETRY_SECONDS
        details.append(retry)
    return _status(code, message, *details)


def _status(code: grpc.StatusCode, message: str, *details: Message) -> grpc.Status:
    rich = status_pb2.Status(code=code.value[0], message=message)
    for detail in details:
        packed = Any()
        packed.Pack(detail)
        rich.details.append(packed)
    status: grpc.Status = rpc_status.to_status(rich)
    return status
