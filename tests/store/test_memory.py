"""Limits and eviction of the memory store."""

import pytest

from openresponses_grpc.store import Append, MemoryStore, StoreFullError, StoreLimits, StreamNotFoundError
from openresponses_grpc.store._memory import EVENT_OVERHEAD, STREAM_OVERHEAD

EVENT = b"x" * (1000 - EVENT_OVERHEAD)  # counts as 1,000 bytes
MAX_BYTES = 3 * STREAM_OVERHEAD + 6000


async def exists(store: MemoryStore, stream_id: str, epoch: int) -> bool:
    try:
        await store.read(stream_id, 0, epoch=epoch, max_bytes=1, timeout=0)
    except StreamNotFoundError:
        return False
    return True


async def test_a_full_store_evicts_the_oldest_ended_stream_first() -> None:
    store = MemoryStore(StoreLimits(max_bytes=MAX_BYTES))
    epochs = {}
    epochs["live"] = (await store.append(Append("live", [EVENT]))).epoch
    async with store.publishing("live", epochs["live"]):
        for stream_id in ("older", "newer"):
            epochs[stream_id] = (await store.append(Append(stream_id, [EVENT] * 2, end_of_stream=True))).epoch
        await store.append(Append("live", [EVENT]))
        assert [await exists(store, *item) for item in epochs.items()] == [True, True, True]
        await store.append(Append("live", [EVENT]))
        assert [await exists(store, *item) for item in epochs.items()] == [True, False, True]


async def test_streams_past_their_retention_are_evicted_first() -> None:
    now = 0.0
    store = MemoryStore(StoreLimits(max_bytes=MAX_BYTES, retention=10), clock=lambda: now)
    epochs = {}
    with store.reading("read"):
        for stream_id in ("not read", "read", "newer"):
            now = 10.0 if stream_id == "newer" else 0.0
            epochs[stream_id] = (await store.append(Append(stream_id, [EVENT] * 2, end_of_stream=True))).epoch
        assert [await exists(store, *item) for item in epochs.items()] == [False, True, True]
        await store.append(Append("live", [EVENT] * 3))
        assert [await exists(store, *item) for item in epochs.items()] == [False, False, True]


async def test_abandoned_streams_are_evicted_and_open_streams_never() -> None:
    now = 0.0
    store = MemoryStore(StoreLimits(max_bytes=MAX_BYTES, abandon_after=10), clock=lambda: now)
    live = (await store.append(Append("live", [EVENT] * 3))).epoch
    async with store.publishing("live", live):
        left = (await store.append(Append("left", [EVENT] * 3))).epoch
        async with store.publishing("left", left):
            pass
        now = 9.0
        with pytest.raises(StoreFullError):
            await store.append(Append("live", [EVENT] * 2))
        assert await exists(store, "left", left)
        now = 11.0
        assert (await store.append(Append("live", [EVENT] * 2))).next_offset == 5
        assert not await exists(store, "left", left)
        with pytest.raises(StoreFullError):
            await store.append(Append("live", [EVENT] * 5))
        batch = await store.read("live", 0, epoch=live, max_bytes=10_000, timeout=0)
        assert len(batch.events) == 5


async def test_an_append_does_not_evict_its_own_stream() -> None:
    now = 0.0
    store = MemoryStore(StoreLimits(max_bytes=MAX_BYTES, abandon_after=10), clock=lambda: now)
    epoch = (await store.append(Append("s", [EVENT] * 5))).epoch
    now = 11.0
    with pytest.raises(StoreFullError):
        await store.append(Append("s", [EVENT] * 6))
    assert await exists(store, "s", epoch)


async def test_an_abandoned_stream_has_the_same_retention_as_an_ended_one() -> None:
    now = 0.0
    store = MemoryStore(StoreLimits(abandon_after=10, retention=100), clock=lambda: now)
    epoch = (await store.append(Append("s", [EVENT]))).epoch
    async with store.publishing("s", epoch):
        now = 1000.0
        assert await exists(store, "s", epoch)
    now = 1109.0
    assert await exists(store, "s", epoch)
    now = 1110.0
    assert not await exists(store, "s", epoch)


async def test_an_append_that_can_never_fit_evicts_nothing() -> None:
    store = MemoryStore(StoreLimits(max_bytes=MAX_BYTES))
    finished = (await store.append(Append("finished", [EVENT], end_of_stream=True))).epoch
    with pytest.raises(StoreFullError):
        await store.append(Append("big", [EVENT] * 10))
    assert await exists(store, "finished", finished)


async def test_empty_streams_count_towards_the_limit() -> None:
    now = 0.0
    store = MemoryStore(StoreLimits(max_bytes=10 * STREAM_OVERHEAD, abandon_after=1), clock=lambda: now)
    for number in range(100):
        await store.append(Append(f"empty {number}"))
        now += 2
