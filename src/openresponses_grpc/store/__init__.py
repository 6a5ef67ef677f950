"""The log of each stream: the interface that every store has, and what it raises."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .errors import (
    EpochMismatchError,
    OffsetGapError,
    OffsetOutOfRangeError,
    OffsetTrimmedError,
    OpenStoreError,
    StoreFullError,
    StoreUnavailableError,
    StreamAbandonedError,
    StreamFinishedError,
    StreamFullError,
    StreamNotFoundError,
    StreamStateError,
)
from .interface import Batch, Position, Store, StoreLimits
from .memory import MemoryStore

__all__ = [
    "Batch",
    "EpochMismatchError",
    "MemoryStore",
    "OffsetGapError",
    "OffsetOutOfRangeError",
    "OffsetTrimmedError",
    "OpenStoreError",
    "Position",
    "Store",
    "StoreFullError",
    "StoreLimits",
    "StoreUnavailableError",
    "StreamAbandonedError",
    "StreamFinishedError",
    "StreamFullError",
    "StreamNotFoundError",
    "StreamStateError",
    "open_store",
]


@asynccontextmanager
async def open_store(url: str, limits: StoreLimits) -> AsyncIterator[Store]:
    """Opens the store that a URL names, for as long as the context lasts; raises OpenStoreError where it cannot."""
    if url == "memory:":
        yield MemoryStore(limits)
    else:
        raise OpenStoreError(f"unknown store {url!r}; there is memory:")
