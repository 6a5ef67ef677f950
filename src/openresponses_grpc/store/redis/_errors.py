"""Maps the exceptions of redis-py and the error replies of Redis to the store's errors."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from redis import exceptions

from .._errors import StoreFullError, StoreUnavailableError

_logger = logging.getLogger(__package__)

UNAVAILABLE: Final = (
    exceptions.AskError,
    exceptions.ClusterError,
    exceptions.ConnectionError,
    exceptions.ReadOnlyError,
    exceptions.TimeoutError,
    exceptions.TryAgainError,
    OSError,  # and so the TimeoutError of asyncio
)
"""The exceptions caused by a Redis that is down, overloaded, restarting or moved."""

TEMPORARY: Final = ("BUSY", "FORMAT", "MISCONF", "NOREPLICAS", "UNKILLABLE")
"""The prefixes of error replies without a class in redis-py that time or an operator resolves."""


def store_error(error: Exception) -> Exception:
    """Returns the store's error for an exception of redis-py.

    An error reply that no retry can resolve, such as that for a key of another type, is returned unchanged, and ends
    the call with INTERNAL. All other exceptions mean that the store is unavailable. Unexpected ones are logged with
    their traceback: they are bugs in redis-py or in this package.
    """
    if isinstance(error, StoreUnavailableError):
        return error
    if isinstance(error, exceptions.OutOfMemoryError):
        return StoreFullError("Redis has reached its maxmemory, and its streams have not expired yet")
    if not isinstance(error, UNAVAILABLE):
        if isinstance(error, exceptions.ResponseError) and not str(error).startswith(TEMPORARY):
            return error
        if not isinstance(error, exceptions.ResponseError):
            _logger.error("unexpected error in the Redis client", exc_info=error)
    return StoreUnavailableError(f"Redis: {str(error) or type(error).__name__}")


@contextmanager
def store_errors() -> Iterator[None]:
    """Raises the store's errors for the exceptions of redis-py."""
    try:
        yield
    except Exception as error:
        raised = store_error(error)
        if raised is error:
            raise
        raise raised from error
