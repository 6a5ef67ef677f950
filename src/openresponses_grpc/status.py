"""gRPC statuses with their details: what went wrong as a code, as a sentence, and as data (`google.rpc`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NoReturn

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from .store import (
    EpochMismatchError,
    OffsetGapError,
    OffsetOutOfRangeError,
    OffsetTrimmedError,
    StoreFullError,
    StreamAbandonedError,
    StreamFinishedError,
    StreamFullError,
    StreamNotFoundError,
    StreamStateError,
)

ERROR_DOMAIN: Final = "openresponses.v1"
"""The `domain` of every `google.rpc.ErrorInfo` of this service."""

RETRY_SECONDS: Final = 1
"""The `retry_delay` that a caller is asked for when trying again may help."""

CODES: Final[Mapping[type[StreamStateError], grpc.StatusCode]] = {
    OffsetGapError: grpc.StatusCode.ABORTED,
    EpochMismatchError: grpc.StatusCode.ABORTED,
    StreamAbandonedError: grpc.StatusCode.ABORTED,
    StreamNotFoundError: grpc.StatusCode.NOT_FOUND,
    StreamFinishedError: grpc.StatusCode.FAILED_PRECONDITION,
    OffsetOutOfRangeError: grpc.StatusCode.OUT_OF_RANGE,
    OffsetTrimmedError: grpc.StatusCode.OUT_OF_RANGE,
    StoreFullError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    StreamFullError: grpc.StatusCode.RESOURCE_EXHAUSTED,
}


class InvalidRequestError(Exception):
    """A field of a request that is not as it must be.

    Attributes:
        field: the field, as `google.rpc.BadRequest` names it: `stream_id`, `events[2]`.

    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field


async def abort_for_state(context: grpc.aio.ServicerContext[Message, Message], error: StreamStateError) -> NoReturn:
    """Ends the call with the status of a stream's state, and an `ErrorInfo` with its reason and figures."""
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=error.reason, domain=ERROR_DOMAIN, metadata=error.metadata)
    ]
    if isinstance(error, StoreFullError):
        details.append(_retry_info())
    await _abort(context, CODES[type(error)], str(error), *details)


async def abort_for_request(
    context: grpc.aio.ServicerContext[Message, Message], error: InvalidRequestError
) -> NoReturn:
    """Ends the call with INVALID_ARGUMENT and a `BadRequest` that names the field."""
    violation = error_details_pb2.BadRequest.FieldViolation(field=error.field, description=str(error))
    message = f"{error.field}: {error}" if error.field else str(error)
    await _abort(
        context,
        grpc.StatusCode.INVALID_ARGUMENT,
        message,
        error_details_pb2.BadRequest(field_violations=[violation]),
    )


async def abort_unavailable(context: grpc.aio.ServicerContext[Message, Message], problem: str) -> NoReturn:
    """Ends the call with UNAVAILABLE and a `RetryInfo`: this server cannot serve now, another or a later one will."""
    await _abort(context, grpc.StatusCode.UNAVAILABLE, problem, _retry_info())


def _retry_info() -> error_details_pb2.RetryInfo:
    info = error_details_pb2.RetryInfo()
    info.retry_delay.seconds = RETRY_SECONDS
    return info


async def _abort(
    context: grpc.aio.ServicerContext[Message, Message], code: grpc.StatusCode, message: str, *details: Message
) -> NoReturn:
    rich = status_pb2.Status(code=code.value[0], message=message)
    for detail in details:
        packed = Any()
        packed.Pack(detail)
        rich.details.append(packed)
    status = rpc_status.to_status(rich)
    await context.abort(status.code, status.details, status.trailing_metadata)
