"""Stores, which keep the log of each stream: their interface, their errors, and `open_store`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from ._errors import (
    DataLossError,
    EpochMismatchError,
    InvalidPageTokenError,
    InvalidRequestError,
    OffsetGapError,
    OffsetOutOfRangeError,
    OffsetTrimmedError,
    OpenStoreError,
    PublisherFencedError,
    ServiceError,
    ShareExceededError,
    StoreFullError,
    StoreUnavailableError,
    StreamAbandonedError,
    StreamDivergedError,
    StreamFinishedError,
    StreamFullError,
    StreamNotFoundError,
    StreamStateError,
)
from ._interface import Append, Batch, Check, End, Failure, Page, State, Store, StoreLimits, StreamInfo
from ._memory import MemoryStore

__all__ = [
    "Append",
    "Batch",
    "Check",
    "DataLossError",
    "End",
    "EpochMismatchError",
    "Failure",
    "InvalidPageTokenError",
    "InvalidRequestError",
    "MemoryStore",
    "OffsetGapError",
    "OffsetOutOfRangeError",
    "OffsetTrimmedError",
    "OpenStoreError",
    "Page",
    "PublisherFencedError",
    "ServiceError",
    "ShareExceededError",
    "State",
    "Store",
    "StoreFullError",
    "StoreLimits",
    "StoreUnavailableError",
    "StreamAbandonedError",
    "StreamDivergedError",
    "StreamFinishedError",
    "StreamFullError",
    "StreamInfo",
    "StreamNotFoundError",
    "StreamStateError",
    "open_store",
]


REDIS: Final = ("redis://", "rediss://", "unix://", "redis+cluster://", "rediss+cluster://")


@asynccontextmanager
async def open_store(url: str, limits: StoreLimits) -> AsyncIterator[Store]:
    """Opens the store with a URL while the context is open; raises OpenStoreError."""
    kind, _, place = url.partition(":")
    if kind == "memory" and not place:
        yield MemoryStore(limits)
    elif kind == "sqlite" and place:
        from .sqlite import open_sqlite

        path, question_mark, query = place.partition("?")
        if question_mark and query != "synchronous=full":
            raise OpenStoreError(f"unknown option {query!r} in {url!r}: the only option is ?synchronous=full")
        async with open_sqlite(Path(path), limits, synchronous="FULL" if query else "NORMAL") as store:
            yield store
    elif url.startswith(REDIS):
        try:
            from .redis import open_redis
        except ModuleNotFoundError as error:
            if error.name and error.name.partition(".")[0] != "redis":
                raise
            raise OpenStoreError(
                "the Redis store requires redis-py: install the package with the extra redis"
            ) from None
        async with open_redis(url, limits) as store:
            yield store
    else:
        raise OpenStoreError(f"unknown store {url!r}: use memory:, sqlite:PATH or redis://HOST:PORT")
