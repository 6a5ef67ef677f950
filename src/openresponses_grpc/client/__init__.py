"""The client library, asynchronous and synchronous: publish, subscribe, and manage streams.

Publishers and subscriptions reconnect and resume.
"""

from .aio import EventStreamClient
from .aio_publisher import EventPublisher
from .aio_subscription import EventSubscription
from .errors import StreamError, StreamFailedError
from .sync import SyncEventStreamClient
from .sync_publisher import SyncEventPublisher
from .sync_subscription import SyncEventSubscription

__all__ = [
    "EventPublisher",
    "EventStreamClient",
    "EventSubscription",
    "StreamError",
    "StreamFailedError",
    "SyncEventPublisher",
    "SyncEventStreamClient",
    "SyncEventSubscription",
]
