"""OpenRouter's streamed response events as Protocol Buffers, over gRPC.

The messages are in `openresponses.v1.events_pb2`; this package turns the SDK's JSON into them and back, and carries
them from publishers to subscribers.
"""

from .bridge import from_dict, from_json, to_dict, to_json
from .client import EventPublisher, EventStreamClient, StreamError, SyncEventPublisher, SyncEventStreamClient
from .errors import (
    EventError,
    EventShapeError,
    IncompleteEventError,
    InvalidJSONError,
    InvalidProtobufError,
    UnknownEventTypeError,
)

__all__ = [
    "EventError",
    "EventPublisher",
    "EventShapeError",
    "EventStreamClient",
    "IncompleteEventError",
    "InvalidJSONError",
    "InvalidProtobufError",
    "StreamError",
    "SyncEventPublisher",
    "SyncEventStreamClient",
    "UnknownEventTypeError",
    "from_dict",
    "from_json",
    "to_dict",
    "to_json",
]
