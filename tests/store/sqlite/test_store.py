"""The SQLite store, beyond the behaviour of every store: streams survive restarts."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from openresponses_grpc.codec._checksum import checksum
from openresponses_grpc.store import (
    Append,
    Batch,
    Check,
    End,
    EpochMismatchError,
    Failure,
    OffsetGapError,
    PublisherFencedError,
    State,
    StoreFullError,
    StoreLimits,
    StoreUnavailableError,
    StreamAbandonedError,
    StreamDivergedError,
    StreamFullError,
    StreamNotFoundError,
)
from openresponses_grpc.store.sqlite import open_sqlite

from ..every_store.conftest import Clock
from .file import LIMITS, connected, read, read_all, row_count, size, writer_blocked


async def test_a_stream_is_the_same_after_reopening(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        end = await store.append(Append("s", [b"a", b"b"]))
        await store.append(Append("empty", []))
    async with open_sqlite(path, LIMITS) as store:
        ab = checksum([b"a", b"b"])
        assert await read(store) == Batch(0, [b"a", b"b"], False, end.epoch, 2, ab)
        assert (await store.append(Append("s", [b"b", b"c"], first_offset=1, epoch=end.epoch))).next_offset == 3
        with pytest.raises(OffsetGapError):
            await store.append(Append("s", [b"e"], first_offset=4))
        check = Check(2, ab)
        last = await store.append(Append("s", [b"d"], end_of_stream=True, epoch=end.epoch, check=check))
        empty = await read(store, stream_id="empty")
        assert (empty.epoch > 0, empty.end_of_stream, empty.checksum) == (True, False, 0)
    async with open_sqlite(path, LIMITS) as store:
        abcd = checksum([b"a", b"b", b"c", b"d"])
        assert await read(store) == Batch(0, [b"a", b"b", b"c", b"d"], True, end.epoch, 4, abcd)
        assert last == End(4, end.epoch, abcd, True)
        assert await store.append(Append("s", [b"d"], first_offset=3, end_of_stream=True)) == last


async def test_the_description_of_a_stream_is_the_same_after_reopening(path: Path, clock: Clock) -> None:
    failure = Failure("UPSTREAM_TIMEOUT", "no event for 30 seconds")
    async with open_sqlite(path, LIMITS, clock=clock, wall=clock) as store:
        await store.append(Append("failed", [b"a"]))
        await store.append(Append("complete"))
        await store.append(Append("empty"))
        clock.now += 5
        await store.append(Append("open", [b"ab", b"c"]))
        await store.append(Append("failed", [b"bc"], end_of_stream=True, failure=failure))
        await store.append(Append("complete", end_of_stream=True))
        clock.now += 4
        await store.append(Append("open", [b"d"]))
        infos = list((await store.list(10, "", lambda _: True)).streams)
    assert [(info.stream_id, info.state, info.failure, info.created_at, info.updated_at) for info in infos] == [
        ("complete", State.COMPLETE, None, 1000, 1005),
        ("empty", State.OPEN, None, 1000, 1000),
        ("failed", State.FAILED, failure, 1000, 1005),
        ("open", State.OPEN, None, 1005, 1009),
    ]
    async with open_sqlite(path, LIMITS, clock=clock, wall=clock) as store:
        assert (await store.list(10, "", lambda _: True)).streams == infos


async def test_the_owner_and_the_drawn_numbers_survive_reopening(path: Path, clock: Clock) -> None:
    async with open_sqlite(path, LIMITS) as store:
        first, second = [await store.append(Append("s", publisher=0)) for _ in range(2)]
        await store.append(Append("s", [b"a"], first_offset=0, epoch=first.epoch, publisher=second.publisher))
        last = await store.append(Append("s", publisher=0))
    with connected(path) as connection:
        assert connection.execute("SELECT owner, drawn FROM streams").fetchone() == (second.publisher, last.publisher)
        connection.execute("UPDATE streams SET drawn = drawn + 1000000000")  # more than the elapsed time
    async with open_sqlite(path, LIMITS) as store:
        for publisher in (None, first.publisher):
            with pytest.raises(PublisherFencedError):
                await store.append(Append("s", [b"x"], first_offset=1, epoch=first.epoch, publisher=publisher))
        owner = Append("s", [b"b"], first_offset=1, epoch=first.epoch, publisher=second.publisher)
        assert (await store.append(owner)).next_offset == 2
        drawn = (await store.append(Append("s", publisher=0))).publisher
        assert drawn == (last.publisher or 0) + 1_000_000_001


async def test_a_claim_with_refused_events_still_fences_after_reopening(path: Path) -> None:
    limits = StoreLimits(max_stream_bytes=10)
    async with open_sqlite(path, limits) as store:
        old, gap, size = [await store.append(Append("s", publisher=0)) for _ in range(3)]
        claims = Append("s", [b"x"], first_offset=1, epoch=old.epoch, publisher=gap.publisher)
        with pytest.raises(OffsetGapError):
            await store.append(claims)
    async with open_sqlite(path, limits) as store:
        with pytest.raises(PublisherFencedError):
            await store.append(claims._replace(publisher=old.publisher, first_offset=0))
        with pytest.raises(StreamFullError):
            await store.append(claims._replace(events=[b"x" * 11], publisher=size.publisher, first_offset=0))
    async with open_sqlite(path, limits) as store:
        with pytest.raises(PublisherFencedError):
            await store.append(claims._replace(first_offset=0))


async def test_claims_and_numbers_are_written_before_they_take_effect(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        number = await store.append(Append("s", publisher=0))
        with writer_blocked(path):
            claim = asyncio.create_task(store.append(Append("s", epoch=number.epoch, publisher=number.publisher)))
            late = asyncio.create_task(store.append(Append("s", [b"x"])))
            draw = asyncio.create_task(store.append(Append("s", publisher=0)))
            await asyncio.wait((claim, late, draw), timeout=0)
            with connected(path) as connection:
                assert connection.execute("SELECT owner FROM streams").fetchone() == (0,)
        await claim
        with pytest.raises(PublisherFencedError):
            await late
        numbers = (number.publisher, (await draw).publisher)
        with connected(path) as connection:
            assert connection.execute("SELECT owner, drawn FROM streams").fetchone() == numbers


async def test_a_deletion_is_durable_and_waits_for_pending_writes(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        epoch = (await store.append(Append("s", [b"a"]))).epoch
        with writer_blocked(path):
            append = asyncio.create_task(store.append(Append("s", [b"b"])))
            await asyncio.wait((append,), timeout=0)
            delete = asyncio.create_task(store.delete("s", epoch))
            late = asyncio.create_task(store.append(Append("s", [b"c"], epoch=epoch)))
            again = asyncio.create_task(store.append(Append("s", [b"d"], first_offset=0)))
            await asyncio.wait((append, delete, late, again), timeout=0)
            assert list((await read(store)).events) == [b"a"]
        assert (await append).next_offset == 2
        await delete
        with connected(path) as connection:
            rows = connection.execute("SELECT * FROM streams WHERE epoch = ? AND id = 's'", (epoch,))
            assert not rows.fetchall()
        with pytest.raises(StreamNotFoundError):
            await late
        assert (await again).epoch != epoch
    async with open_sqlite(path, LIMITS) as store:
        with pytest.raises(EpochMismatchError):
            await read(store, epoch=epoch)
        assert list((await read(store)).events) == [b"d"]


async def test_a_failed_deletion_deletes_nothing(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        await store.append(Append("s", [b"a"]))
        store._file._writer.execute("PRAGMA query_only = ON")
        with pytest.raises(StoreUnavailableError):
            await store.delete("s", None)
        assert list((await read(store)).events) == [b"a"]
        store._file._writer.execute("PRAGMA query_only = OFF")
        await store.delete("s", None)
    async with open_sqlite(path, LIMITS) as store:
        assert not (await read(store)).epoch


async def test_a_deletion_frees_space(path: Path) -> None:
    limits = StoreLimits(max_bytes=1 << 20)
    async with open_sqlite(path, limits) as store:
        for _ in range(20):
            epoch = (await store.append(Append("s", [b"x" * 1000] * 900))).epoch
            async with store.publishing("s", epoch):
                with pytest.raises(StoreFullError):
                    await store.append(Append("other", [b"x" * 1000] * 900))
                await store.delete("s", None)
        while await asyncio.to_thread(row_count, path):
            pass
    assert size(path) < 4 * limits.max_bytes


@pytest.mark.parametrize("created", [False, True])
@pytest.mark.parametrize("events", [1, 100])
async def test_a_retry_is_compared_with_the_log_at_the_time_of_the_write(
    path: Path, events: int, created: bool
) -> None:
    log = [b"%d" % number * 10_000 for number in range(events)]
    other = [*log[:-1], b"other"]
    async with open_sqlite(path, LIMITS) as store:
        if created:
            await store.append(Append("s"))
        with writer_blocked(path):
            first = asyncio.create_task(store.append(Append("s", log)))
            retries = [asyncio.create_task(store.append(Append("s", sent, first_offset=0))) for sent in (log, other)]
            await asyncio.wait((first, *retries), timeout=0)
        assert (await retries[0]).next_offset == events
        with pytest.raises(StreamDivergedError, match=f"another event at offset {events - 1}"):
            await retries[1]
        await store.append(Append("s", [b"x" * 2_000_000]))
        await store.append(Append("s", [b"y"]))  # now in the tail cache
        assert (await store.append(Append("s", log, first_offset=0))).next_offset == events + 2
        with pytest.raises(StreamDivergedError):
            await store.append(Append("s", other, first_offset=0))


async def test_retention_continues_while_no_server_runs_but_abandonment_does_not(path: Path, clock: Clock) -> None:
    async with open_sqlite(path, LIMITS, clock=clock) as store:
        finished = await store.append(Append("finished", [b"a"], end_of_stream=True))
        await store.append(Append("s", [b"a"]))
    clock.now += 99
    async with open_sqlite(path, LIMITS, clock=clock) as store:
        assert (await read(store, stream_id="finished", epoch=finished.epoch)).end_of_stream
        clock.now += 9
        with pytest.raises(StreamNotFoundError):
            await read(store, stream_id="finished", epoch=finished.epoch)
        assert not (await read(store, 1)).events
        clock.now += 1
        with pytest.raises(StreamAbandonedError):
            await read(store, 1)


async def test_limits_and_eviction_order_survive_reopening(path: Path) -> None:
    limits = StoreLimits(max_streams=4, max_stream_bytes=1_000_000)
    names = ["b", "c", "a"]
    async with open_sqlite(path, limits) as store:
        await store.append(Append("s", [b"x" * 200_000] * 3))
        await store.append(Append("s", [b"x" * 200_000]))
        for name in names:
            await store.append(Append(name, [], end_of_stream=True))
    async with open_sqlite(path, limits) as store:
        with pytest.raises(StreamFullError):
            await store.append(Append("s", [b"x" * 200_001]))
        await store.append(Append("s", [b"x" * 200_000]))
        await store.append(Append("new", []))
        assert [(await read(store, stream_id=name)).end_of_stream for name in names] == [False, True, True]


async def test_a_stream_reads_the_same_for_any_batch_size(path: Path) -> None:
    sizes = [1, 0, 100, 300_000, 127, 128, 100_000, 100_000, 100_000, 5]
    events = [bytes([number]) * size for number, size in enumerate(sizes)]
    async with open_sqlite(path, LIMITS) as store:
        await store.append(Append("s", events))
        for event in events:
            await store.append(Append("s", [event]))
        await store.append(Append("s", events, end_of_stream=True))
    events *= 3
    async with open_sqlite(path, LIMITS) as store:
        for start in range(len(events)):
            for max_bytes in (1, 200_000, 1 << 30):
                assert await read_all(store, start, max_bytes) == events[start:]


KILLED = """
import asyncio, sys
from openresponses_grpc.store import Append, StoreLimits, open_store

async def publish(store, number):
    for offset in range(10**9):
        position = await store.append(Append(f"s{number}", [b"%d" % offset] * (number + 1)))
        sys.stdout.write(f"{number} {position.next_offset}\\n")
        sys.stdout.flush()

async def main():
    async with open_store(sys.argv[1], StoreLimits()) as store:
        await asyncio.gather(*(publish(store, number) for number in range(20)))

asyncio.run(main())
"""


@pytest.mark.parametrize("query", ["", "?synchronous=full"])
async def test_acknowledged_events_survive_kill_9(path: Path, query: str) -> None:
    acknowledged = dict.fromkeys(range(20), 0)
    for kill in range(1, 3):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", KILLED, f"sqlite:{path}{query}", stdout=PIPE
        )
        assert process.stdout is not None
        for _ in range(kill * 200):
            number, end = map(int, (await process.stdout.readline()).split())
            acknowledged[number] = end
        process.kill()
        for line in (await process.communicate())[0].splitlines():
            number, end = map(int, line.split())
            acknowledged[number] = end
    async with open_sqlite(path, LIMITS) as store:
        for number, end in acknowledged.items():
            batch = await read(store, stream_id=f"s{number}")
            assert len(batch.events) >= end > 0
            assert len(batch.events) % (number + 1) == 0
