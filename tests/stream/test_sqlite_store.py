"""The store in a file, beside what every store does: streams survive the server, and room is used again."""

import asyncio
import sqlite3
import sys
import threading
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from openresponses_grpc.checksum import checksum
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
    Store,
    StoreFullError,
    StoreLimits,
    StoreUnavailableError,
    StreamAbandonedError,
    StreamDivergedError,
    StreamFullError,
    StreamNotFoundError,
)
from openresponses_grpc.store.segment import Piece
from openresponses_grpc.store.sqlite import open_sqlite
from openresponses_grpc.store.sqlite.recent import Recent

from .every_store.conftest import Clock

LIMITS = StoreLimits(keep_finished=100, abandon_after=10)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def read(
    store: Store, start: int = 0, *, stream_id: str = "s", epoch: int | None = None, max_bytes: int = 1 << 30
) -> Batch:
    return await store.read(stream_id, start, epoch=epoch, max_bytes=max_bytes, timeout=0)


async def read_all(store: Store, start: int, max_bytes: int) -> list[bytes]:
    """Reads a finished stream to its end."""
    events: list[bytes] = []
    while True:
        batch = await read(store, start + len(events), max_bytes=max_bytes)
        assert batch.first_offset == start + len(events)
        assert sum(map(len, batch.events)) <= max_bytes or len(batch.events) == 1
        events += batch.events
        if batch.end_of_stream:
            return events


@contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    """The file as others see it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


@contextmanager
def writers_held_up(path: Path) -> Iterator[None]:
    """Keeps every transaction of the store from beginning."""
    with connected(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def size(path: Path) -> int:
    return path.stat().st_size


def commits(path: Path) -> int:
    """Transactions in the write-ahead log: a frame that ends one has the database's size."""
    log = path.with_name(f"{path.name}-wal").read_bytes()
    page_size = int.from_bytes(log[8:12])
    frames = range(32, len(log), 24 + page_size)
    return sum(log[frame + 4 : frame + 8] != bytes(4) for frame in frames)


def left(path: Path) -> int:
    """Rows that are in the file."""
    with connected(path) as connection:
        (rows,) = connection.execute(
            "SELECT (SELECT count(*) FROM streams) + (SELECT count(*) FROM batches)"
        ).fetchone()
        assert isinstance(rows, int)
        return rows


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


async def test_the_owner_and_the_numbers_drawn_survive(path: Path, clock: Clock) -> None:
    async with open_sqlite(path, LIMITS) as store:
        first, second = [await store.append(Append("s", publisher=0)) for _ in range(2)]
        await store.append(Append("s", [b"a"], first_offset=0, epoch=first.epoch, publisher=second.publisher))
        last = await store.append(Append("s", publisher=0))
    with connected(path) as connection:
        assert connection.execute("SELECT owner, drawn FROM streams").fetchone() == (second.publisher, last.publisher)
        connection.execute("UPDATE streams SET drawn = drawn + 1000000000")  # more than the time that passes
    async with open_sqlite(path, LIMITS) as store:
        for publisher in (None, first.publisher):
            with pytest.raises(PublisherFencedError):
                await store.append(Append("s", [b"x"], first_offset=1, epoch=first.epoch, publisher=publisher))
        owner = Append("s", [b"b"], first_offset=1, epoch=first.epoch, publisher=second.publisher)
        assert (await store.append(owner)).next_offset == 2
        drawn = (await store.append(Append("s", publisher=0))).publisher
        assert drawn == (last.publisher or 0) + 1_000_000_001


async def test_a_claim_whose_events_are_refused_fences_after_reopening(path: Path) -> None:
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


async def test_a_claim_and_a_number_are_written_before_they_hold(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        number = await store.append(Append("s", publisher=0))
        with writers_held_up(path):
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


async def test_a_deletion_is_durable_and_waits_for_what_is_being_written(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        epoch = (await store.append(Append("s", [b"a"]))).epoch
        with writers_held_up(path):
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


async def test_a_deletion_that_is_not_written_deletes_nothing(path: Path) -> None:
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


async def test_a_deletion_frees_the_room(path: Path) -> None:
    limits = StoreLimits(max_bytes=1 << 20)
    async with open_sqlite(path, limits) as store:
        for _ in range(20):
            epoch = (await store.append(Append("s", [b"x" * 1000] * 900))).epoch
            async with store.publishing("s", epoch):
                with pytest.raises(StoreFullError):
                    await store.append(Append("other", [b"x" * 1000] * 900))
                await store.delete("s", None)
        while await asyncio.to_thread(left, path):
            pass
    assert size(path) < 4 * limits.max_bytes


@pytest.mark.parametrize("created", [False, True])
@pytest.mark.parametrize("events", [1, 100])
async def test_a_retry_is_compared_with_the_log_as_it_is_when_it_is_written(
    path: Path, events: int, created: bool
) -> None:
    log = [b"%d" % number * 10_000 for number in range(events)]
    other = [*log[:-1], b"other"]
    async with open_sqlite(path, LIMITS) as store:
        if created:
            await store.append(Append("s"))
        with writers_held_up(path):
            first = asyncio.create_task(store.append(Append("s", log)))
            retries = [asyncio.create_task(store.append(Append("s", sent, first_offset=0))) for sent in (log, other)]
            await asyncio.wait((first, *retries), timeout=0)
        assert (await retries[0]).next_offset == events
        with pytest.raises(StreamDivergedError, match=f"another event at offset {events - 1}"):
            await retries[1]
        await store.append(Append("s", [b"x" * 2_000_000]))
        await store.append(Append("s", [b"y"]))  # the recent one
        assert (await store.append(Append("s", log, first_offset=0))).next_offset == events + 2
        with pytest.raises(StreamDivergedError):
            await store.append(Append("s", other, first_offset=0))


async def test_streams_age_while_no_server_runs_but_publishers_are_not_late(path: Path, clock: Clock) -> None:
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


async def test_bounds_and_who_goes_first_are_the_same_after_reopening(path: Path) -> None:
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


async def test_a_stream_reads_the_same_however_it_was_cut(path: Path) -> None:
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
async def test_what_was_acknowledged_survives_kill_9(path: Path, query: str) -> None:
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


async def test_what_gathers_during_a_transaction_is_one_transaction(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        before = commits(path)
        with writers_held_up(path):
            first = asyncio.create_task(store.append(Append("first", [b"a"])))
            await asyncio.wait((first,), timeout=0)
            appends = [asyncio.create_task(store.append(Append(str(number), [b"a"]))) for number in range(100)]
            await asyncio.wait(appends, timeout=0)
            assert not first.done()
        for position in await asyncio.gather(*appends):
            assert position.next_offset == 1
        assert commits(path) - before <= 2


async def test_readers_see_what_is_committed(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        await store.append(Append("s", [b"a"]))
        with writers_held_up(path):
            more = asyncio.create_task(store.append(Append("s", [b"b"], end_of_stream=True)))
            other = asyncio.create_task(store.append(Append("other", [b"b"])))
            await asyncio.wait((more, other), timeout=0)
            batch = await read(store)
            assert (list(batch.events), batch.end_of_stream) == ([b"a"], False)
            assert not (await read(store, stream_id="other")).epoch
        await asyncio.gather(more, other)
        batch = await read(store)
        assert (list(batch.events), batch.end_of_stream) == ([b"a", b"b"], True)


async def test_an_append_that_is_refused_or_cancelled_leaves_the_others_of_its_group(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        with writers_held_up(path):
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


async def test_appends_of_one_stream_are_written_in_their_order(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        positions = await asyncio.gather(
            *(store.append(Append("s", [b"%d" % number], first_offset=number)) for number in range(50))
        )
        assert [position.next_offset for position in positions] == list(range(1, 51))
        assert list((await read(store)).events) == [b"%d" % number for number in range(50)]


async def test_a_full_disk_refuses_and_loses_nothing_and_goes_on_when_there_is_room(path: Path, clock: Clock) -> None:
    limits = StoreLimits(max_bytes=1_200_000, max_streams=2, abandon_after=10)
    async with open_sqlite(path, limits, clock=clock) as store:
        position = await store.append(Append("s", [b"a"]))
        # The setting is the connection's own.
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
        # What was refused holds no room, and is no publisher.
        assert (await store.append(Append("s", large, first_offset=2))).next_offset == 102
        assert (await store.append(Append("new", large))).next_offset == 100
        clock.now += 10
        with pytest.raises(StreamAbandonedError):
            await read(store, 102)
    async with open_sqlite(path, LIMITS) as store:
        assert list((await read(store)).events) == [b"a", b"b", *large]


async def test_a_reader_behind_the_recent_events_gets_those_in_the_file(path: Path) -> None:
    events = [bytes([number]) * 300_000 for number in range(10)]
    async with open_sqlite(path, LIMITS) as store:
        for end, event in enumerate(events, 1):
            await store.append(Append("s", [event]))
            for start in range(end):
                assert (await read(store, start, max_bytes=1)).events == [events[start]]


def test_recent_events_are_bounded_and_those_of_the_stream_appended_to_last_stay() -> None:
    recent = Recent(3000)
    for key, first_offset in ((1, 0), (2, 0), (1, 1), (3, 0)):
        recent.add(key, Piece(first_offset, [b"x" * 1000], 0, 0))
    assert [recent.find(key, 0) is not None for key in (1, 2, 3)] == [False, False, True]
    recent.add(4, Piece(0, [b"x" * 3000], 0, 0))
    assert [recent.find(key, 0) for key in (3, 4)] == [None, None]


async def test_a_stream_that_is_dropped_while_it_is_read_is_not_read_for_another(path: Path, clock: Clock) -> None:
    async with open_sqlite(path, LIMITS, clock=clock) as store:
        await store.append(Append("s", [b"x" * 2_000_000]))
        first = await store.append(Append("s", [b"y"], end_of_stream=True))  # what is recent now
        reading_goes_on = threading.Event()
        store._reader.submit(reading_goes_on.wait)
        resumed, anew = (asyncio.create_task(read(store, epoch=epoch)) for epoch in (first.epoch, None))
        await asyncio.wait((resumed, anew), timeout=0)
        clock.now += 101
        second = await store.append(Append("s", [b"b"]))
        reading_goes_on.set()
        with pytest.raises(EpochMismatchError):
            await resumed
        assert await anew == Batch(0, [b"b"], False, second.epoch, 1, second.checksum)


async def test_room_that_streams_leave_is_used_again(path: Path) -> None:
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


async def test_streams_that_are_too_old_leave_the_file_without_a_call(path: Path, clock: Clock) -> None:
    async with open_sqlite(path, LIMITS, clock=clock) as store:
        for number in range(3):
            await store.append(Append(str(number), [b"x" * 100_000] * 30, end_of_stream=number > 0))
        clock.now += 110
        while await asyncio.to_thread(left, path):
            pass


async def test_what_a_killed_server_did_not_delete_is_deleted(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        await store.append(Append("s", [b"x" * 100_000] * 100))
    with connected(path) as connection:
        connection.execute("DELETE FROM streams")
    async with open_sqlite(path, LIMITS) as store:
        assert not (await read(store)).epoch
        while await asyncio.to_thread(left, path):
            pass
