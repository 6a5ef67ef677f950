"""Protocol Buffers and gRPC for the stream events of the Responses API.

The message classes are in `openresponses_grpc.v1.events_pb2`. The names exported here are imported on first use:
converting JSON does not load gRPC.
"""

from typing import TYPE_CHECKING, Any

from ._lazy import lazy_names

if TYPE_CHECKING:
    from .accumulation import Accumulator, accumulate
    from .client import (
        AsyncEventPublisher,
        AsyncEventStreamClient,
        AsyncEventSubscription,
        EventPublisher,
        EventStreamClient,
        EventSubscription,
        StreamError,
        StreamFailedError,
    )
    from .codec._bridge import from_dict, from_json, json_to_protobuf, protobuf_to_json, to_dict, to_json
    from .errors import (
        EventError,
        EventShapeError,
        IncompleteEventError,
        InvalidJSONError,
        InvalidProtobufError,
        UnknownEventTypeError,
    )
    from .position import Position

__version__: str
"""Version of the package."""

_MODULES = {
    "accumulation": ("Accumulator", "accumulate"),
    "codec": ("from_dict", "from_json", "json_to_protobuf", "protobuf_to_json", "to_dict", "to_json"),
    "client": (
        "AsyncEventPublisher",
        "AsyncEventStreamClient",
        "AsyncEventSubscription",
        "StreamError",
        "StreamFailedError",
        "EventPublisher",
        "EventStreamClient",
        "EventSubscription",
    ),
    "errors": (
        "EventError",
        "EventShapeError",
        "IncompleteEventError",
        "InvalidJSONError",
        "InvalidProtobufError",
        "UnknownEventTypeError",
    ),
    "position": ("Position",),
}

__all__ = [
    "Accumulator",
    "AsyncEventPublisher",
    "AsyncEventStreamClient",
    "AsyncEventSubscription",
    "EventError",
    "EventPublisher",
    "EventShapeError",
    "EventStreamClient",
    "EventSubscription",
    "IncompleteEventError",
    "InvalidJSONError",
    "InvalidProtobufError",
    "Position",
    "StreamError",
    "StreamFailedError",
    "UnknownEventTypeError",
    "__version__",
    "accumulate",
    "from_dict",
    "from_json",
    "json_to_protobuf",
    "protobuf_to_json",
    "to_dict",
    "to_json",
]


_get = lazy_names(__name__, _MODULES)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value = version("openresponses-grpc")
    else:
        value = _get(name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
