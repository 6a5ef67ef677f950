"""The programs of examples/ resume at their latest position, and detect a log that lost events."""

import shutil
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.store import Append, Batch, MemoryStore, StoreLimits, open_store

from ..faults.proxy import Cut, Draw, Proxy
from .events import EVENTS, encoded, printed
from .languages import Language
from .streams import batch_at, feed, store_with

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]  # the first test of a language builds its example

LOGGED: Final = EVENTS[:10]
OTHER: Final = EVENTS[10:30]

REPLACEMENTS: Final = {
    "shorter": LOGGED[:5],
    "same length, another last event": LOGGED[:9] + OTHER[:1],
    "longer, without the lost events": LOGGED[:5] + OTHER,
}
"""Logs that lost acknowledged events."""


def epoch_of(store: MemoryStore) -> int:
    return store._index.get("s").epoch


def cuts(*kinds: Cut, every: int, count: int) -> Draw:
    """Cuts the connection `count` times, at every `every`-th message that allows one of the kinds, alternating them."""
    left = count * every

    def draw(possible: tuple[Cut, ...]) -> Cut | None:
        nonlocal left
        allowed = [kind for kind in kinds if kind in possible]
        if not allowed or left == 0:
            return None
        left -= 1
        return None if left % every else allowed[left // every % len(allowed)]

    return draw


async def test_subscriber_receives_each_event_once_over_dropped_connections(language: Language) -> None:
    store = await store_with(EVENTS[:1])
    draw = cuts(Cut.BEFORE, Cut.WITHIN, Cut.AFTER, every=2, count=6)
    async with (
        running_server(StreamService(store), "127.0.0.1:0", grace=1) as server,
        Proxy(int(server.rpartition(":")[2]), draw).running() as proxy,
        language.started("subscribe", "--events", proxy, "s") as subscriber,
    ):
        events = printed(language, subscriber)
        received = []
        for number in range(1, 100):  # one at a time, so that each event is a message
            received.append(await anext(events))
            await store.append(Append("s", EVENTS[number : number + 1]))
        await store.append(Append("s", [], end_of_stream=True))
        received += [event async for event in events]
        _, stderr = await subscriber.communicate()
    assert (received, subscriber.returncode) == (EVENTS[:100], 0)
    assert stderr.count(b"retrying after error") >= 6


async def test_publisher_stores_each_event_once_over_dropped_connections(language: Language) -> None:
    store = MemoryStore()
    draw = cuts(Cut.BEFORE, Cut.WITHIN, Cut.AFTER, Cut.LATE, every=3, count=9)
    async with (
        running_server(StreamService(store), "127.0.0.1:0", grace=1) as server,
        Proxy(int(server.rpartition(":")[2]), draw).running() as proxy,
        language.started("publish", proxy, "s") as publisher,
    ):
        for number in range(100):
            feed(publisher, encoded(language, EVENTS[number : number + 1]))
            await batch_at(store, number)
        _, stderr = await publisher.communicate(b"")
    assert (publisher.returncode, stderr.count(b"retrying after error") >= 6) == (0, True), stderr
    batch = await batch_at(store, 0)
    assert (list(batch.events), batch.end_of_stream) == (EVENTS[:100], True)


@pytest.mark.parametrize("log", REPLACEMENTS)
async def test_running_subscriber_reports_stream_diverged_after_log_lost_events(language: Language, log: str) -> None:
    store = await store_with(LOGGED)
    async with AsyncExitStack() as programs:
        async with running_server(StreamService(store), "127.0.0.1:0", grace=1) as server:
            subscriber = await programs.enter_async_context(language.started("subscribe", "--events", server, "s"))
            events = printed(language, subscriber)
            assert [await anext(events) for _ in LOGGED] == LOGGED
        replaced = await store_with(REPLACEMENTS[log], epoch_of(store))
        async with running_server(StreamService(replaced), server):
            assert [event async for event in events] == []
            _, stderr = await subscriber.communicate()
    assert (subscriber.returncode, b"STREAM_DIVERGED" in stderr) == (3, True), stderr


@pytest.mark.parametrize("log", REPLACEMENTS)
async def test_resuming_publisher_reports_stream_diverged_after_log_lost_events(language: Language, log: str) -> None:
    store = MemoryStore()
    async with AsyncExitStack() as programs:
        async with running_server(StreamService(store), "127.0.0.1:0", grace=1) as server:
            publisher = await programs.enter_async_context(language.started("publish", server, "s"))
            feed(publisher, encoded(language, LOGGED))
            await batch_at(store, len(LOGGED) - 1)
            # The server acknowledges earlier events before it stores the next one.
            feed(publisher, encoded(language, EVENTS[99:100]))
            await batch_at(store, len(LOGGED))
        replaced = await store_with(REPLACEMENTS[log], epoch_of(store))
        async with running_server(StreamService(replaced), server):
            _, stderr = await publisher.communicate()
        assert (publisher.returncode, b"STREAM_DIVERGED" in stderr) == (3, True), stderr
        assert list((await batch_at(replaced, 0)).events) == REPLACEMENTS[log]


async def test_subscriber_detects_older_sqlite_copy_with_new_events(language: Language, tmp_path: Path) -> None:
    lost, older = tmp_path / "lost.db", tmp_path / "older.db"
    async with AsyncExitStack() as programs:
        async with open_store(f"sqlite:{lost}", StoreLimits()) as store:
            await store.append(Append("s", LOGGED[:5]))
        shutil.copy(lost, older)
        async with (
            open_store(f"sqlite:{lost}", StoreLimits()) as store,
            running_server(StreamService(store), "127.0.0.1:0", grace=1) as server,
        ):
            subscriber = await programs.enter_async_context(language.started("subscribe", "--events", server, "s"))
            events = printed(language, subscriber)
            await store.append(Append("s", LOGGED[5:]))
            assert [await anext(events) for _ in LOGGED] == LOGGED
        async with open_store(f"sqlite:{older}", StoreLimits()) as store:
            await store.append(Append("s", OTHER))
            async with running_server(StreamService(store), server, grace=1):
                assert [event async for event in events] == []
                _, stderr = await subscriber.communicate()
    assert (subscriber.returncode, b"STREAM_DIVERGED" in stderr) == (3, True), stderr


class _SkippingStore(MemoryStore):
    """A store whose batches report a first offset that is one too high."""

    async def read(self, *args: Any, **kwargs: Any) -> Batch:
        batch = await super().read(*args, **kwargs)
        return batch._replace(first_offset=batch.first_offset + 1)


async def test_subscriber_rejects_skipped_offset(language: Language) -> None:
    store = _SkippingStore()
    await store.append(Append("s", LOGGED, end_of_stream=True))
    async with (
        running_server(StreamService(store), "127.0.0.1:0", grace=1) as server,
        language.started("subscribe", "--events", server, "s") as subscriber,
    ):
        stdout, stderr = await subscriber.communicate()
    assert (stdout, subscriber.returncode, b"received offset 1; expected 0" in stderr) == (b"", 3, True), stderr
