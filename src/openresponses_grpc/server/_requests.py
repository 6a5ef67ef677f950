"""Parses and validates requests, and converts them to the store's types. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from google.protobuf.message import DecodeError, Message

from openresponses_grpc.v1 import stream_service_pb2
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc.v1.stream_service_pb2 import ListStreamsRequest, SubscribeRequest

from ..codec import _raw_messages as raw_messages
from ..store import Append, Check, Failure, InvalidRequestError
from ..store._rules import MAX_PUBLISHER
from . import _fields as fields

PAGE_SIZE: Final = 100
MAX_PAGE_SIZE: Final = 1000

_AT_ONCE_BYTES: Final = 2 * raw_messages.BATCH_BYTES
"""The size up to which a request is parsed in one step."""

_STEP_BYTES: Final = 256 << 10
_STEP_EVENTS: Final = 500
"""The part of a larger request that is parsed in one step."""

M = TypeVar("M", bound=Message)


class Subscription(NamedTuple):
    """The contents of a SubscribeRequest."""

    stream_id: str
    start_offset: int
    epoch: int | None
    check: Check | None
    must_exist: bool


def parse(message: type[M], data: bytes | None) -> M:
    """Parses a request; `data` is None if the call ended without one."""
    if data is None:
        raise InvalidRequestError("", f"the call ended without a {message.__name__}")
    try:
        return message.FromString(data)
    except DecodeError:
        raise InvalidRequestError("", f"the request is not a {message.__name__}") from None


def parse_publish(data: bytes) -> Generator[None, None, Append]:
    """Parses a PublishRequest step by step and returns it; its stream id may be empty.

    Yields:
        After each step, so that the caller can yield to other tasks.

    """
    try:
        yield from fields.count_events(data)
    except fields.TooManyError as error:
        raise InvalidRequestError("events", str(error)) from None
    # The generated class validates the events, which the class with raw events does not.
    small = len(data) <= _AT_ONCE_BYTES
    if small:
        parse(stream_service_pb2.PublishRequest, data)
    request = parse(raw_messages.PublishRequest, data)
    if not small:
        yield
    events = list(request.events)  # each access to protobuf's list copies the event
    request.ClearField("events")
    step = 0
    for index, event in enumerate(events):
        if not event:
            raise InvalidRequestError(f"events[{index}]", "no event is set")
        if not small:
            step += len(event)
            if step >= _STEP_BYTES or index % _STEP_EVENTS == 0:
                step = 0
                yield
            yield from _check_event(event, index)
    publisher = _optional(request, "publisher")
    first_offset = _optional(request, "first_offset")
    if publisher is not None:
        _check_publisher(request, publisher, events)
    return Append(
        request.stream_id,
        events,
        first_offset=first_offset,
        end_of_stream=request.end_of_stream,
        failure=_failure(request),
        epoch=_optional(request, "epoch"),
        check=_check(request),
        publisher=publisher,
    )


def parse_subscribe(data: bytes | None) -> Subscription:
    """Parses a SubscribeRequest."""
    request = parse(SubscribeRequest, data)
    return Subscription(
        check_stream_id(request.stream_id),
        request.start_offset,
        _optional(request, "epoch"),
        _check(request),
        request.must_exist,
    )


def page_size(request: ListStreamsRequest) -> int:
    """Returns the page size of a request."""
    if request.page_size < 0:
        raise InvalidRequestError("page_size", f"must not be negative: {request.page_size}")
    return min(request.page_size or PAGE_SIZE, MAX_PAGE_SIZE)


def check_stream_id(stream_id: str) -> str:
    """Returns a stream id if it is valid; raises InvalidRequestError."""
    if not stream_id:
        raise InvalidRequestError("stream_id", "is required")
    if len(stream_id.encode()) > raw_messages.MAX_STREAM_ID_BYTES:
        raise InvalidRequestError("stream_id", f"is longer than {raw_messages.MAX_STREAM_ID_BYTES} bytes")
    return stream_id


def _check_event(event: bytes, index: int) -> Generator[None, None, None]:
    try:
        yield from fields.count_elements(event)
        OpenResponsesStreamEvent.FromString(event)
    except (fields.TooManyError, DecodeError) as error:
        problem = str(error) if isinstance(error, fields.TooManyError) else "is not an OpenResponsesStreamEvent"
        raise InvalidRequestError(f"events[{index}]", problem) from None


def _optional(request: Any, field: str) -> int | None:
    return getattr(request, field) if request.HasField(field) else None


def _check(request: Any) -> Check | None:
    offset, checksum = _optional(request, "checked_offset"), _optional(request, "checksum")
    if offset is None and checksum is None:
        return None
    if offset is None:
        raise InvalidRequestError("checked_offset", "is required with checksum")
    if checksum is None:
        raise InvalidRequestError("checksum", "is required with checked_offset")
    if not request.HasField("epoch"):
        raise InvalidRequestError("epoch", "is required with checked_offset")
    return Check(offset, checksum)


def _check_publisher(request: Any, publisher: int, events: Sequence[bytes]) -> None:
    if publisher > MAX_PUBLISHER:
        raise InvalidRequestError("publisher", f"was not drawn by the server: it exceeds {MAX_PUBLISHER}")
    if not publisher:
        if events or request.end_of_stream:
            raise InvalidRequestError("publisher", "must not be 0, which draws a number, in a request that appends")
    elif not request.HasField("epoch"):
        raise InvalidRequestError("epoch", "is required with publisher")
    elif events and not request.HasField("first_offset"):
        raise InvalidRequestError("first_offset", "is required with publisher and events")


def _failure(request: Any) -> Failure | None:
    if not request.HasField("failure"):
        return None
    failure = Failure(request.failure.reason, request.failure.message)
    if not request.end_of_stream:
        raise InvalidRequestError("failure", "requires end_of_stream")
    if not 0 < len(failure.reason.encode()) <= raw_messages.MAX_REASON_BYTES:
        raise InvalidRequestError("failure.reason", f"must have 1 to {raw_messages.MAX_REASON_BYTES} bytes")
    if len(failure.message.encode()) > raw_messages.MAX_FAILURE_MESSAGE_BYTES:
        raise InvalidRequestError("failure.message", f"is longer than {raw_messages.MAX_FAILURE_MESSAGE_BYTES} bytes")
    return failure
