"""Reads that do not wait."""

from openresponses_grpc.store import Batch, Check, Store


async def read(
    store: Store, start: int = 0, *, epoch: int | None = None, check: Check | None = None, max_bytes: int = 1000
) -> Batch:
    """Reads the available events without waiting."""
    return await store.read("s", start, epoch=epoch, check=check, max_bytes=max_bytes, timeout=0)
