"""The programs of examples/ report why a stream failed or a call was rejected, and exit with status 3."""

from contextlib import AsyncExitStack

import pytest

from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.store import Append, Failure, MemoryStore, PublisherFencedError, State

from .events import EVENTS, encoded, printed
from .languages import Language
from .streams import batch_at, feed, store_with

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]  # the first test of a language builds its example


async def test_subscriber_prints_failed_stream_and_its_failure(language: Language) -> None:
    store = MemoryStore()
    failure = Failure("UPSTREAM_TIMEOUT", "no answer from the model")
    await store.append(Append("s", EVENTS[:100], end_of_stream=True, failure=failure))
    async with (
        running_server(StreamService(store), "127.0.0.1:0", grace=1) as server,
        language.started("subscribe", "--events", server, "s") as subscriber,
    ):
        assert [event async for event in printed(language, subscriber)] == EVENTS[:100]
        _, stderr = await subscriber.communicate()
    assert subscriber.returncode == 3
    assert b"UPSTREAM_TIMEOUT: no answer from the model" in stderr


async def test_later_publisher_fences_the_first(language: Language) -> None:
    store = MemoryStore()
    async with (
        running_server(StreamService(store), "127.0.0.1:0", grace=1) as server,
        language.started("publish", server, "s") as first,
    ):
        feed(first, encoded(language, EVENTS[:1]))
        await batch_at(store, 0)
        async with language.started("publish", server, "s") as second:
            _, stderr = await second.communicate(encoded(language, EVENTS[1:3]))
            assert second.returncode == 0, stderr
        _, stderr = await first.communicate(encoded(language, EVENTS[3:4]))
    assert (first.returncode, b"PUBLISHER_FENCED" in stderr) == (3, True), stderr
    assert list((await batch_at(store, 0)).events) == EVENTS[:3]


async def test_publisher_fences_appends_without_a_publisher_number(language: Language) -> None:
    store = MemoryStore()
    async with (
        running_server(StreamService(store), "127.0.0.1:0", grace=1) as server,
        language.started("publish", server, "s") as publisher,
    ):
        feed(publisher, encoded(language, EVENTS[:1]))
        await batch_at(store, 0)
        with pytest.raises(PublisherFencedError):
            await store.append(Append("s", EVENTS[1:2]))
        _, stderr = await publisher.communicate(encoded(language, EVENTS[2:3]))
    assert publisher.returncode == 0, stderr
    assert list((await batch_at(store, 0)).events) == [EVENTS[0], EVENTS[2]]


async def test_publisher_reports_ended_stream(language: Language) -> None:
    store = MemoryStore()
    await store.append(Append("s", EVENTS[:1], end_of_stream=True))
    async with (
        running_server(StreamService(store), "127.0.0.1:0", grace=1) as server,
        language.started("publish", server, "s") as publisher,
    ):
        _, stderr = await publisher.communicate(encoded(language, EVENTS[:1]))
    assert (publisher.returncode, b"STREAM_FINISHED" in stderr) == (3, True), stderr


async def test_malformed_input_fails_publisher_and_leaves_stream_open(language: Language) -> None:
    store = MemoryStore()
    async with (
        running_server(StreamService(store), "127.0.0.1:0", grace=1) as server,
        language.started("publish", server, "s") as publisher,
    ):
        feed(publisher, encoded(language, EVENTS[:1]))
        await batch_at(store, 0)
        _, stderr = await publisher.communicate(b"\xff\xff")
    assert publisher.returncode == 1
    assert stderr
    info = await store.info("s")
    assert (info.state, info.next_offset) == (State.OPEN, 1)


GONE = {
    "EPOCH_MISMATCH": EVENTS[:2],
    "STREAM_NOT_FOUND": None,
}


@pytest.mark.parametrize("reason", GONE)
async def test_subscriber_detects_replaced_or_deleted_stream(language: Language, reason: str) -> None:
    async with AsyncExitStack() as programs:
        store = await store_with(EVENTS[:2])
        async with running_server(StreamService(store), "127.0.0.1:0", grace=1) as server:
            subscriber = await programs.enter_async_context(language.started("subscribe", "--events", server, "s"))
            events = printed(language, subscriber)
            assert [await anext(events), await anext(events)] == EVENTS[:2]
        logged = GONE[reason]
        store = MemoryStore() if logged is None else await store_with(logged)
        async with running_server(StreamService(store), server, grace=1):
            _, stderr = await subscriber.communicate()
    assert (subscriber.returncode, reason.encode() in stderr) == (3, True), stderr


async def test_subscriber_prints_events_before_a_damaged_one(language: Language) -> None:
    store = MemoryStore()
    await store.append(Append("s", EVENTS[:5]))
    await store.append(Append("s", EVENTS[5:10]))
    damaged = bytearray(EVENTS[7])
    damaged[-1] ^= 1
    store._index.get("s").segment.events[7] = bytes(damaged)
    async with (
        running_server(StreamService(store), "127.0.0.1:0", grace=1) as server,
        language.started("subscribe", "--events", server, "s") as subscriber,
    ):
        assert [event async for event in printed(language, subscriber)] == EVENTS[:5]
        _, stderr = await subscriber.communicate()
    assert (subscriber.returncode, b"DATA_LOSS" in stderr) == (3, True), stderr
