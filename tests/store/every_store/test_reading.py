"""Readers and retention, in every store."""

import asyncio
from dataclasses import replace

import pytest

from openresponses_grpc.store import Append, Failure, Store, StoreLimits, StreamNotFoundError

from .conftest import LIMITS, Clock
from .reading import read

EVENTS = [b"a", b"b", b"c", b"d", b"e", b"f"]


@pytest.mark.parametrize("limits", [replace(LIMITS, retention=0)])
@pytest.mark.parametrize("failure", [None, Failure("REASON", "message")])
async def test_without_retention_readers_still_get_the_end(
    store: Store, limits: StoreLimits, clock: Clock, failure: Failure | None
) -> None:
    epoch = (await store.append(Append("s", EVENTS[:3]))).epoch
    with store.reading("s"):
        waiting = asyncio.create_task(store.read("s", 3, epoch=epoch, max_bytes=1000, timeout=60))
        await asyncio.wait((waiting,), timeout=0)
        await store.append(Append("s", EVENTS[3:], end_of_stream=True, failure=failure))
        await store.append(Append("another", [b"x"]))
        at_end = await waiting
        assert (list(at_end.events), at_end.end_of_stream, at_end.failure) == (EVENTS[3:], True, failure)
        for start, event in enumerate(EVENTS):
            batch = await read(store, start, epoch=epoch, max_bytes=1)
            assert list(batch.events) == [event]
        assert (batch.end_of_stream, batch.failure) == (True, failure)
    await clock.advance(31)
    with pytest.raises(StreamNotFoundError):
        await read(store, epoch=epoch)
    assert (await store.append(Append("s", [b"x"]))).epoch != epoch


@pytest.mark.parametrize("finished", [True, False], ids=["finished", "abandoned"])
async def test_a_reader_keeps_its_stream_for_a_limited_time(store: Store, clock: Clock, finished: bool) -> None:
    epoch = (await store.append(Append("s", EVENTS, end_of_stream=finished))).epoch
    with store.reading("s"):
        for start, event in enumerate(EVENTS):
            await clock.advance(60)
            assert list((await read(store, start, epoch=epoch, max_bytes=1)).events) == [event]
        await clock.advance(60)  # four times the retention has passed
        with pytest.raises(StreamNotFoundError):
            await read(store, epoch=epoch)


async def test_a_stream_expires_after_its_last_reader_leaves(store: Store, clock: Clock) -> None:
    epoch = (await store.append(Append("s", EVENTS, end_of_stream=True))).epoch
    with store.reading("s"), store.reading("s"):
        await clock.advance(60)
        assert (await read(store, epoch=epoch, max_bytes=1)).events
    await clock.advance(101)
    with pytest.raises(StreamNotFoundError):
        await read(store, epoch=epoch)


async def test_a_publisher_can_resume_an_abandoned_stream_that_is_being_read(store: Store, clock: Clock) -> None:
    epoch = (await store.append(Append("s", EVENTS))).epoch
    with store.reading("s"):
        for _ in range(3):
            await clock.advance(60)
            assert (await read(store, epoch=epoch, max_bytes=1)).events
        async with store.publishing("s", epoch):
            assert (await store.append(Append("s", [b"x"], epoch=epoch))).next_offset == 7
    assert list((await read(store, 6, epoch=epoch)).events) == [b"x"]


async def test_a_publisher_of_an_ended_stream_does_not_extend_its_retention(store: Store, clock: Clock) -> None:
    epoch = (await store.append(Append("s", EVENTS, end_of_stream=True))).epoch
    with store.reading("s"):
        await clock.advance(60)
        assert (await read(store, epoch=epoch, max_bytes=1)).events
        await clock.advance(60)
        async with store.publishing("s", epoch):
            pass
    await clock.advance(101)
    with pytest.raises(StreamNotFoundError):
        await read(store, epoch=epoch)


async def test_the_check_of_a_working_store_passes_and_leaves_no_stream(store: Store) -> None:
    await store.check()
    assert not (await store.list(10, "", lambda _: True)).streams
