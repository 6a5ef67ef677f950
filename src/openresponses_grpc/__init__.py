"""The events of a Responses stream as Protocol Buffers: converted from and to JSON, and streamed over gRPC.

The messages are in `openresponses_grpc.v1.events_pb2`. The names below are imported when they are first used, so that
converting JSON and importing the stubs does not load gRPC.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .accumulation import Accumulator, accumulate
    from .bridge import from_dict, from_json, json_to_protobuf, protobuf_to_json, to_dict, to_json
    from .client import (
        EventPublisher,
        EventStreamClient,
        EventSubscription,
        StreamError,
        StreamFailedError,
        SyncEventPublisher,
        SyncEventStreamClient,
        SyncEventSubscription,
    )
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

_MODULES = {
    "accumulation": ("Accumulator", "accumulate"),
    "bridge": ("from_dict", "from_json", "json_to_protobuf", "protobuf_to_json", "to_dict", "to_json"),
    "client": (
        "EventPublisher",
        "EventStreamClient",
        "EventSubscription",
        "StreamError",
        "StreamFailedError",
        "SyncEventPublisher",
        "SyncEventStreamClient",
        "SyncEventSubscription",
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
    "SyncEventPublisher",
    "SyncEventStreamClient",
    "SyncEventSubscription",
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


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            value = globals()[name] = getattr(import_module(f".{module}", __name__), name)
            return value
    if name == "__version__":
        from importlib.metadata import version

        value = globals()[name] = version("openresponses-grpc")
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
