"""The SQLite store: shared transactions, the tail cache and reuse of space."""

import asyncio
import threading
from pathlib import Path

import pytest

from openresponses_grpc.store import (
    Append,
    Batch,
    Check,
    End,
    EpochMismatchError,
    OffsetGapError,
    StoreFullError,
    StoreLimits,
    StoreUnavailableError,
    StreamAbandonedError,
)
from openresponses_grpc.store._segment import Piece
from openresponses_grpc.store.sqlite import open_sqlite
from openresponses_grpc.store.sqlite._file import Changes, File
from openresponses_grpc.store.sqlite._tail_cache import TailCache

from ..every_store.conftest import Clock
from .file import LIMITS, commits, connected, read, row_count, size, writer_blocked


async def test_appends_that_arrive_during_a_transaction_share_the_next_one(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        before = commits(path)
        with writer_blocked(path):
            first = asyncio.create_task(store.append(Append("first", [b"a"])))
            await asyncio.wait((first,), timeout=0)
            appends = [asyncio.create_task(store.append(Append(str(number), [b"a"]))) for number in range(100)]
            await asyncio.wait(appends, timeout=0)
            assert not first.done()
        for position in await asyncio.gather(*appends):
            assert position.next_offset == 1
        assert commits(path) - before <= 2


async def test_readers_see_only_committed_events(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        await store.append(Append("s", [b"a"]))
        with writer_blocked(path):
            more = asyncio.create_task(store.append(Append("s", [b"b"], end_of_stream=True)))
            other = asyncio.create_task(store.append(Append("other", [b"b"])))
            await asyncio.wait((more, other), timeout=0)
            batch = await read(store)
            assert (list(batch.events), batch.end_of_stream) == ([b"a"], False)
            assert not (await read(store, stream_id="other")).epoch
        await asyncio.gather(more, other)
        batch = await read(store)
        assert (list(batch.events), batch.end_of_stream) == ([b"a", b"b"], True)


async def test_a_reader_of_the_file_follows_a_log_across_a_commit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the commit and the end of its transaction, the file has events that the log in memory does not have."""
    write, committed, continued = File.write, threading.Event(), threading.Event()

    def held_write(file: File, changes: Changes) -> None:
        write(file, changes)
        committed.set()
        assert continued.wait(30)

    async with open_sqlite(path, LIMITS) as store:
        await store.append(Append("s", [b"a"]))
    async with open_sqlite(path, LIMITS) as store:  # the tail cache is empty
        monkeypatch.setattr(File, "write", held_write)
        appending = asyncio.create_task(store.append(Append("s", [b"b"])))
        await asyncio.to_thread(committed.wait)
        batch = await read(store)
        continued.set()
        await appending
        assert (list(batch.events), batch.end) == ([b"a"], 1)
        assert batch.checksum is not None
        following = await read(store, 1, check=Check(1, batch.checksum))
        assert list(following.events) == [b"b"]


async def test_refused_and_cancelled_appends_do_not_affect_others_in_the_transaction(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        with writer_blocked(path):
            appends: list[asyncio.Task[End]] = []
            for number in range(30):
                offset = 7 if number % 3 == 1 else 0
                append = store.append(Append(str(number), [b"a"], first_offset=offset, end_of_stream=number % 2 == 0))
                appends.append(asyncio.create_task(append))
                await asyncio.wait(appends, timeout=0)
            for task in appends[2::3]:
                task.cancel()
        results = await asyncio.gather(*appends, return_exceptions=True)
        assert all(isinstance(result, End) for result in results[0::3])
        assert all(isinstance(result, OffsetGapError) for result in results[1::3])
        assert all(isinstance(result, asyncio.CancelledError) for result in results[2::3])
        for number in range(0, 30, 3):
            batch = await read(store, stream_id=str(number))
            assert (list(batch.events), batch.end_of_stream) == ([b"a"], number % 2 == 0)


async def test_appends_to_one_stream_are_written_in_order(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        positions = await asyncio.gather(
            *(store.append(Append("s", [b"%d" % number], first_offset=number)) for number in range(50))
        )
        assert [position.next_offset for position in positions] == list(range(1, 51))
        assert list((await read(store)).events) == [b"%d" % number for number in range(50)]


async def test_a_full_disk_refuses_appends_loses_nothing_and_recovers(path: Path, clock: Clock) -> None:
    limits = StoreLimits(max_bytes=1_200_000, max_streams=2, abandon_after=10)
    async with open_sqlite(path, limits, clock=clock) as store:
        position = await store.append(Append("s", [b"a"]))
        # max_page_count applies to one connection only.
        full = store._file._writer.execute("PRAGMA page_count").fetchone()[0] + 4
        store._file._writer.execute(f"PRAGMA max_page_count = {full}")
        large = [b"x" * 5000] * 100
        for stream_id in ("s", "refused"):
            with pytest.raises(StoreUnavailableError, match="full"):
                await store.append(Append(stream_id, large, end_of_stream=True))
        assert await read(store) == Batch(0, [b"a"], False, position.epoch, 1, position.checksum)
        assert not (await read(store, stream_id="refused")).epoch
        assert (await store.append(Append("s", [b"b"], first_offset=1))).next_offset == 2
        store._file._writer.execute("PRAGMA max_page_count = 1000000")
        # A refused append occupies no space and does not count as a publisher.
        assert (await store.append(Append("s", large, first_offset=2))).next_offset == 102
        assert (await store.append(Append("new", large))).next_offset == 100
        clock.now += 10
        with pytest.raises(StreamAbandonedError):
            await read(store, 102)
    async with open_sqlite(path, LIMITS) as store:
        assert list((await read(store)).events) == [b"a", b"b", *large]


async def test_a_reader_behind_the_tail_cache_reads_the_file(path: Path) -> None:
    events = [bytes([number]) * 300_000 for number in range(10)]
    async with open_sqlite(path, LIMITS) as store:
        for end, event in enumerate(events, 1):
            await store.append(Append("s", [event]))
            for start in range(end):
                assert (await read(store, start, max_bytes=1)).events == [events[start]]


def test_the_tail_cache_is_bounded_and_keeps_the_latest_stream() -> None:
    recent = TailCache(3000)
    for key, first_offset in ((1, 0), (2, 0), (1, 1), (3, 0)):
        recent.add(key, Piece(first_offset, [b"x" * 1000], 0, 0))
    assert [recent.find(key, 0) is not None for key in (1, 2, 3)] == [False, False, True]
    recent.add(4, Piece(0, [b"x" * 3000], 0, 0))
    assert [recent.find(key, 0) for key in (3, 4)] == [None, None]


async def test_a_read_during_expiry_never_returns_another_stream(path: Path, clock: Clock) -> None:
    async with open_sqlite(path, LIMITS, clock=clock) as store:
        await store.append(Append("s", [b"x" * 2_000_000]))
        first = await store.append(Append("s", [b"y"], end_of_stream=True))  # now in the tail cache
        reader_released = threading.Event()
        store._reader.submit(reader_released.wait)
        resumed, anew = (asyncio.create_task(read(store, epoch=epoch)) for epoch in (first.epoch, None))
        await asyncio.wait((resumed, anew), timeout=0)
        clock.now += 101
        second = await store.append(Append("s", [b"b"]))
        reader_released.set()
        with pytest.raises(EpochMismatchError):
            await resumed
        assert await anew == Batch(0, [b"b"], False, second.epoch, 1, second.checksum)


async def test_space_of_evicted_streams_is_reused(path: Path) -> None:
    limits = StoreLimits(max_bytes=2 << 20)
    async with open_sqlite(path, limits) as store:
        for number in range(50):
            await store.append(Append(str(number), [b"x" * 1000] * 400, end_of_stream=True))
        assert not (await read(store, stream_id="0")).epoch
        assert (await read(store, stream_id="49")).end_of_stream
        epoch = (await store.append(Append("live", [b"x" * 1000] * 1500))).epoch
        async with store.publishing("live", epoch):
            with pytest.raises(StoreFullError):
                await store.append(Append("live", [b"x" * 1000] * 1000))
    assert size(path) < 4 * limits.max_bytes


async def test_expired_streams_are_removed_from_the_file_without_a_call(path: Path, clock: Clock) -> None:
    async with open_sqlite(path, LIMITS, clock=clock) as store:
        for number in range(3):
            await store.append(Append(str(number), [b"x" * 100_000] * 30, end_of_stream=number > 0))
        clock.now += 110
        while await asyncio.to_thread(row_count, path):
            pass


async def test_deletions_left_unfinished_by_a_killed_server_are_completed(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        await store.append(Append("s", [b"x" * 100_000] * 100))
    with connected(path) as connection:
        connection.execute("DELETE FROM streams")
    async with open_sqlite(path, LIMITS) as store:
        assert not (await read(store)).epoch
        while await asyncio.to_thread(row_count, path):
            pass
