"""The log of each stream: the interface that every store has, and what it raises."""

from .errors import (
    EpochMismatchError,
    OffsetGapError,
    OffsetOutOfRangeError,
    StoreFullError,
    StreamAbandonedError,
    StreamFinishedError,
    StreamNotFoundError,
    StreamStateError,
)
from .interface import Batch, Position, Store
from .memory import DEFAULT_ABANDON_AFTER, DEFAULT_KEEP_FINISHED, DEFAULT_MAX_BYTES, MemoryStore

__all__ = [
    "DEFAULT_ABANDON_AFTER",
    "DEFAULT_KEEP_FINISHED",
    "DEFAULT_MAX_BYTES",
    "Batch",
    "EpochMismatchError",
    "MemoryStore",
    "OffsetGapError",
    "OffsetOutOfRangeError",
    "Position",
    "Store",
    "StoreFullError",
    "StreamAbandonedError",
    "StreamFinishedError",
    "StreamNotFoundError",
    "StreamStateError",
    "open_store",
]


def open_store(url: str, *, max_bytes: int, keep_finished: float, abandon_after: float) -> Store:
    """The store that a URL names, with the arguments of that store; raises ValueError for an unknown one."""
    if url != "memory:":
        raise ValueError(f"unknown store {url!r}; there is memory:")
    return MemoryStore(max_bytes=max_bytes, keep_finished=keep_finished, abandon_after=abandon_after)
