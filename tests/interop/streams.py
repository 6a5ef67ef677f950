"""A store with one stream, as the server of the examples sees it, and the input of a publisher."""

from asyncio.subprocess import Process
from collections.abc import Sequence

from openresponses_grpc.store import Append, Batch, MemoryStore


async def store_with(events: Sequence[bytes], epoch: int | None = None) -> MemoryStore:
    """A store with a stream `s` with these events and this epoch."""
    store = MemoryStore()
    await store.append(Append("s", events))
    entry = store._index.get("s")
    entry.epoch = epoch or entry.epoch
    return store


async def batch_at(store: MemoryStore, offset: int) -> Batch:
    """Waits for the batch at an offset of the stream."""
    return await store.read("s", offset, epoch=None, max_bytes=1 << 30, timeout=60)


def feed(publisher: Process, data: bytes) -> None:
    assert publisher.stdin is not None
    publisher.stdin.write(data)
