"""The client library: publish and subscribe, asynchronous and synchronous, both resuming where a connection broke."""

from .aio import EventPublisher, EventStreamClient
from .errors import StreamError
from .sync import SyncEventPublisher, SyncEventStreamClient

__all__ = [
    "EventPublisher",
    "EventStreamClient",
    "StreamError",
    "SyncEventPublisher",
    "SyncEventStreamClient",
]
