"""The client library, for asyncio and for threads: publish to, subscribe to, and manage streams.

Publishers and subscriptions reconnect and resume.
"""

from ._async_client import AsyncEventStreamClient
from ._async_publisher import AsyncEventPublisher
from ._async_subscription import AsyncEventSubscription
from ._client import EventStreamClient
from ._errors import StreamError, StreamFailedError
from ._publisher import EventPublisher
from ._subscription import EventSubscription

__all__ = [
    "AsyncEventPublisher",
    "AsyncEventStreamClient",
    "AsyncEventSubscription",
    "EventPublisher",
    "EventStreamClient",
    "EventSubscription",
    "StreamError",
    "StreamFailedError",
]
