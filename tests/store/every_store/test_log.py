"""The log of a stream, in every store."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from openresponses_grpc.store import (
    Append,
    Batch,
    EpochMismatchError,
    OffsetGapError,
    OffsetOutOfRangeError,
    Store,
    StoreFullError,
    StreamAbandonedError,
    StreamFinishedError,
    StreamFullError,
    StreamNotFoundError,
)

from .conftest import STORES, Clock
from .reading import read


async def test_offsets_count_from_zero_without_gaps(store: Store) -> None:
    assert (await store.append(Append("s", [b"a", b"b"]))).next_offset == 2
    assert (await store.append(Append("s", [b"c"]))).next_offset == 3
    assert (await store.append(Append("s", []))).next_offset == 3
    for start in range(4):
        batch = await read(store, start)
        assert (batch.first_offset, list(batch.events)) == (start, [b"a", b"b", b"c"][start:])
        assert not batch.end_of_stream


async def test_a_batch_holds_at_least_one_event_and_at_most_max_bytes(store: Store) -> None:
    await store.append(Append("s", [b"a" * 10, b"b" * 4, b"c" * 4, b"d" * 4], end_of_stream=True))
    assert list((await read(store, 0, max_bytes=9)).events) == [b"a" * 10]
    second = await read(store, 1, max_bytes=9)
    assert (list(second.events), second.end_of_stream) == ([b"b" * 4, b"c" * 4], False)
    last = await read(store, 3, max_bytes=9)
    assert (list(last.events), last.end_of_stream) == ([b"d" * 4], True)


async def test_a_read_at_the_end_of_an_ended_stream_returns_the_ending(store: Store) -> None:
    await store.append(Append("s", [b"a"], end_of_stream=True))
    batch = await read(store, 1)
    assert (batch.first_offset, list(batch.events), batch.end_of_stream) == (1, [], True)
    with pytest.raises(OffsetOutOfRangeError) as caught:
        await read(store, 2)
    assert caught.value.metadata == {"next_offset": "1"}


@pytest.mark.parametrize(
    "first_offset, events, log",
    [(0, [b"a", b"b"], 2), (0, [b"a", b"b", b"c"], 3), (1, [b"b", b"c", b"d"], 4), (2, [b"c"], 3), (0, [], 2)],
)
async def test_events_already_in_the_log_are_dropped(
    store: Store, first_offset: int, events: list[bytes], log: int
) -> None:
    await store.append(Append("s", [b"a", b"b"]))
    assert (await store.append(Append("s", events, first_offset=first_offset))).next_offset == log
    assert list((await read(store)).events) == [b"a", b"b", b"c", b"d"][:log]


async def test_a_gap_is_refused_with_the_expected_offset(store: Store) -> None:
    await store.append(Append("s", [b"a", b"b"]))
    for events in ([b"x"], []):
        with pytest.raises(OffsetGapError) as caught:
            await store.append(Append("s", events, first_offset=3))
        assert caught.value.metadata == {"next_offset": "2"}
    assert len((await read(store)).events) == 2


async def test_a_refused_append_creates_no_stream(store: Store) -> None:
    for first_offset, events in ((1, [b"a"]), (0, [b"a" * 201])):
        with pytest.raises((OffsetGapError, StreamFullError)):
            await store.append(Append("s", events, first_offset=first_offset))
    assert not (await read(store)).epoch


async def test_a_stream_cannot_end_before_its_last_event(store: Store) -> None:
    await store.append(Append("s", [b"a", b"b"]))
    with pytest.raises(OffsetGapError):
        await store.append(Append("s", [b"a"], first_offset=0, end_of_stream=True))
    assert not (await read(store, 2)).end_of_stream


async def test_an_ended_stream_accepts_only_retries(store: Store) -> None:
    position = await store.append(Append("s", [b"a"], end_of_stream=True))
    assert await store.append(Append("s", [b"a"], first_offset=0, end_of_stream=True)) == position
    assert await store.append(Append("s", [], end_of_stream=True)) == position
    with pytest.raises(StreamFinishedError) as caught:
        await store.append(Append("s", [b"b"]))
    assert caught.value.metadata == {"next_offset": "1"}


async def test_an_epoch_identifies_one_stream(store: Store) -> None:
    first = await store.append(Append("s", [b"a"]))
    other = await store.append(Append("t", [b"a"]))
    assert 0 < first.epoch < 2**63
    assert first.epoch != other.epoch
    assert (await store.append(Append("s", [b"b"], epoch=first.epoch))).epoch == first.epoch
    assert (await read(store, epoch=first.epoch)).epoch == first.epoch
    with pytest.raises(EpochMismatchError):
        await store.append(Append("s", [b"c"], epoch=other.epoch))
    with pytest.raises(EpochMismatchError):
        await read(store, epoch=other.epoch)


async def test_with_an_epoch_an_unknown_stream_is_not_found(store: Store) -> None:
    with pytest.raises(StreamNotFoundError):
        await store.append(Append("s", [b"a"], epoch=1))
    with pytest.raises(StreamNotFoundError):
        await read(store, epoch=1)
    assert await read(store, 5) == Batch(5)


@pytest.mark.parametrize("before", [[], [b"a"]], ids=["before the stream", "at its end"])
async def test_a_reader_waits_for_the_next_event(store: Store, before: list[bytes]) -> None:
    if before:
        await store.append(Append("s", before))
    readers = [
        asyncio.create_task(store.read("s", len(before), epoch=None, max_bytes=1000, timeout=60)) for _ in range(3)
    ]
    await asyncio.wait(readers, timeout=0)
    await store.append(Append("s", [b"x"]))
    for batch in await asyncio.gather(*readers):
        assert (batch.first_offset, list(batch.events)) == (len(before), [b"x"])


async def test_a_waiting_reader_gets_the_end_of_the_stream(store: Store) -> None:
    await store.append(Append("s", [b"a"]))
    reader = asyncio.create_task(store.read("s", 1, epoch=None, max_bytes=1000, timeout=60))
    await asyncio.wait((reader,), timeout=0)
    await store.append(Append("s", [], end_of_stream=True))
    assert (await reader).end_of_stream


async def test_a_cancelled_read_does_not_affect_other_readers(store: Store) -> None:
    stays, goes = (asyncio.create_task(store.read("s", 0, epoch=None, max_bytes=1000, timeout=60)) for _ in range(2))
    await asyncio.wait((stays, goes), timeout=0)
    goes.cancel()
    await asyncio.wait((goes,))
    await store.append(Append("s", [b"a"]))
    assert list((await stays).events) == [b"a"]


async def test_an_ended_stream_expires_after_its_retention(store: Store, clock: Clock) -> None:
    first = await store.append(Append("s", [b"a"], end_of_stream=True))
    await clock.advance(99)
    assert (await read(store, epoch=first.epoch)).end_of_stream
    await clock.advance(2)
    with pytest.raises(StreamNotFoundError):
        await read(store, epoch=first.epoch)
    again = await store.append(Append("s", [b"b"]))
    assert again.next_offset == 1
    assert again.epoch != first.epoch


async def test_an_open_stream_without_a_publisher_is_abandoned(store: Store, clock: Clock) -> None:
    epoch = (await store.append(Append("s"))).epoch
    async with store.publishing("s", epoch):
        await store.append(Append("s", [b"a"]))
        await clock.advance(1000)
        assert not (await read(store, 1)).events
    await clock.advance(9)
    assert not (await read(store, 1)).events
    await clock.advance(2)
    assert list((await read(store, 0)).events) == [b"a"]
    with pytest.raises(StreamAbandonedError) as caught:
        await read(store, 1)
    assert caught.value.metadata == {"next_offset": "1"}
    async with store.publishing("s", epoch):
        assert not (await read(store, 1)).events
        assert (await store.append(Append("s", [b"b"]))).next_offset == 2


async def test_an_append_beyond_the_stream_limit_is_refused_and_stores_nothing(store: Store) -> None:
    await store.append(Append("s", [b"a" * 150]))
    with pytest.raises(StreamFullError) as caught:
        await store.append(Append("s", [b"b", b"c" * 50]))
    assert caught.value.metadata == {"max_stream_bytes": "200"}
    assert (await store.append(Append("s", [b"d" * 50], first_offset=1, end_of_stream=True))).next_offset == 2


@pytest.mark.parametrize("store", STORES, indirect=True)  # Redis has its own limit, maxmemory.
async def test_the_number_of_streams_is_limited_and_ended_streams_are_evicted(store: Store) -> None:
    async with AsyncExitStack() as publishing:
        for number in range(20):
            epoch = (await store.append(Append(str(number), [b"a"]))).epoch
            await publishing.enter_async_context(store.publishing(str(number), epoch))
        with pytest.raises(StoreFullError):
            await store.append(Append("s", [b"a"]))
        assert not (await read(store)).epoch
        finished = await store.append(Append("7", [], end_of_stream=True))
        assert (await store.append(Append("s", [b"a"]))).next_offset == 1
        with pytest.raises(StreamNotFoundError):
            await store.read("7", 0, epoch=finished.epoch, max_bytes=1000, timeout=0)
