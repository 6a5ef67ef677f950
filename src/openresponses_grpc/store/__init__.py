"""The log of each stream: the interface that every store has, and what it raises."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

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
from .sqlite import open_sqlite

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
    kind, _, place = url.partition(":")
    if kind == "memory" and not place:
        yield MemoryStore(limits)
    elif kind == "sqlite" and place:
        path, question_mark, query = place.partition("?")
        if question_mark and query != "synchronous=full":
            raise OpenStoreError(f"unknown {query!r} in {url!r}; there is ?synchronous=full")
        async with open_sqlite(Path(path), limits, synchronous="FULL" if query else "NORMAL") as store:
            yield store
    else:
        raise OpenStoreError(f"unknown store {url!r}; there are memory: and sqlite:PATH")
