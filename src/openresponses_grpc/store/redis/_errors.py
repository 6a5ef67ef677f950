"""The failures of redis-py and the error replies of Redis, as the store's errors."""

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
"""What a Redis that is down, overloaded, restarting or moved brings about."""

PASSING: Final = ("BUSY", "FORMAT", "MISCONF", "NOREPLICAS", "UNKILLABLE")
"""How error replies begin that redis-py has no class for, and that an operator or a little time heals."""


def store_error(error: Exception) -> Exception:
    """The store's error for anything that redis-py raises.

    Only an error reply that no retry can heal stays as it is, such as a key of another type: a call ends with INTERNAL
    then. Any other exception means that the store is unavailable. One that is not foreseen is logged with its
    traceback: it is a fault of redis-py or of this package.
    """
    if isinstance(error, StoreUnavailableError):
        return error
    if isinstance(error, exceptions.OutOfMemoryError):
        return StoreFullError("Redis has reached its maxmemory, and what is there may not be dropped yet")
    if not isinstance(error, UNAVAILABLE):
        if isinstance(error, exceptions.ResponseError) and not str(error).startswith(PASSING):
            return error
        if not isinstance(error, exceptions.ResponseError):
            _logger.error("the client of Redis failed in a way that is not foreseen", exc_info=error)
    return StoreUnavailableError(f"Redis: {str(error) or type(error).__name__}")


@contextmanager
def store_errors() -> Iterator[None]:
    """Raises the store's error for what redis-py raises."""
    try:
        yield
    except Exception as error:
        raised = store_error(error)
        if raised is error:
            raise
        raise raised from error
