"""Validates the arguments of publishers. Pure: no I/O."""

from __future__ import annotations

from google.protobuf.message import Message

from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc.v1.stream_service_pb2 import StreamFailure

from ..codec._parsing import parse_event
from ..codec._raw_messages import MAX_EVENT_BYTES, MAX_FAILURE_MESSAGE_BYTES, MAX_REASON_BYTES
from ..errors import IncompleteEventError

Sendable = OpenResponsesStreamEvent | bytes | bytearray | memoryview
"""An event to publish: a message, or its serialized form."""


def serialize(event: Sendable) -> bytes:
    """Returns a serialized copy of an event.

    Raises:
        TypeError: `event` is neither an OpenResponsesStreamEvent nor bytes.
        InvalidProtobufError: the bytes are not a serialized OpenResponsesStreamEvent.
        IncompleteEventError: the message has no event set, or is larger than a server accepts.

    """
    if isinstance(event, OpenResponsesStreamEvent):
        data = event.SerializeToString()
    elif isinstance(event, bytes | bytearray | memoryview):
        data = bytes(event)
        parse_event(data)
    else:
        raise TypeError(f"expected an OpenResponsesStreamEvent or its bytes, got {type(event).__name__}{_hint(event)}")
    if not data:
        raise IncompleteEventError("$", "no event is set")
    if len(data) > MAX_EVENT_BYTES:
        raise IncompleteEventError("$", f"the event is {len(data)} bytes long; the limit is {MAX_EVENT_BYTES}")
    return data


def stream_failure(reason: str, message: str) -> StreamFailure:
    """Returns the failure to end a stream with; raises ValueError if the server would reject it."""
    size = len(reason.encode())
    if not 0 < size <= MAX_REASON_BYTES:
        raise ValueError(f"the reason of a failure must be 1 to {MAX_REASON_BYTES} bytes of UTF-8, not {size}")
    size = len(message.encode())
    if size > MAX_FAILURE_MESSAGE_BYTES:
        raise ValueError(
            f"the message of a failure is limited to {MAX_FAILURE_MESSAGE_BYTES} bytes of UTF-8, not {size}"
        )
    return StreamFailure(reason=reason, message=message)


def _hint(event: object) -> str:
    if isinstance(event, str):
        return ": convert JSON with json_to_protobuf"
    if isinstance(event, dict):
        return ": convert it with from_dict"
    if isinstance(event, Message):
        return ": wrap it in an OpenResponsesStreamEvent"
    return ""
