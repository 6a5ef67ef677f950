"""What Redis says when it cannot do what it was asked for, as the store's errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from redis import exceptions

from ..errors import StoreFullError, StoreUnavailableError

UNAVAILABLE: Final = (
    exceptions.ClusterError,
    exceptions.ConnectionError,
    exceptions.ReadOnlyError,
    exceptions.RedisClusterException,
    exceptions.TimeoutError,
    exceptions.TryAgainError,
)

PASSING: Final = ("BUSY", "FORMAT", "MISCONF", "NOREPLICAS", "UNKILLABLE")
"""How errors begin that redis-py has no class for, and that an operator, another server or a little time heals."""


@contextmanager
def store_errors() -> Iterator[None]:
    """Turns what redis-py raises into a StoreFullError or a StoreUnavailableError, where it is one."""
    try:
        yield
    except exceptions.OutOfMemoryError as error:
        raise StoreFullError("Redis has reached its maxmemory, and what is there may not be dropped yet") from error
    except UNAVAILABLE as error:
        raise StoreUnavailableError(f"Redis: {error}") from error
    except exceptions.ResponseError as error:
        if str(error).startswith(PASSING):
            raise StoreUnavailableError(f"Redis: {error}") from error
        raise
