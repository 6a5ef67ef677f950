"""The SQLite store on a full disk: acknowledged events survive, and expired streams free space."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from openresponses_grpc.store import Append, End, Store, StoreLimits, StoreUnavailableError, StreamNotFoundError
from openresponses_grpc.store.sqlite import open_sqlite

from ...support.small_disk import fill, small_disk
from ..every_store.conftest import Clock
from .file import read, row_count

LIMITS = StoreLimits(retention=100, abandon_after=10)
DISK_BYTES = 8 << 20
LARGE = [b"x" * 1000] * 200
SMALL = [b"x" * 300] * 10


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", DISK_BYTES) as folder:
        yield folder


@pytest.fixture
def path(disk: Path) -> Path:
    return disk / "store.db"


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def publish_until_full(store: Store, name: str, events: list[bytes], *, at_once: int = 1) -> int:
    """Publishes ended streams, `at_once` concurrently; returns the number of acknowledged streams."""
    stored = 0
    while True:
        appends = [Append(f"{name} {number}", events, end_of_stream=True) for number in range(stored, stored + at_once)]
        ends = await asyncio.gather(*map(store.append, appends), return_exceptions=True)
        stored += sum(isinstance(end, End) for end in ends)
        refused = [end for end in ends if isinstance(end, BaseException)]
        if refused:
            assert {type(each) for each in refused} == {StoreUnavailableError}
            return stored


async def assert_refused(store: Store, events: list[bytes] = LARGE) -> None:
    with pytest.raises(StoreUnavailableError, match="full"):
        await store.append(Append("refused", events))


async def wait_until_stored(store: Store, name: str) -> None:
    """Retries until events are stored again."""
    while True:
        with suppress(StoreUnavailableError):
            await store.append(Append(name, LARGE, end_of_stream=True))
            return
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("others", ["no other files", "fill the rest", "fill three quarters first"])
@pytest.mark.parametrize("events, at_once", [(LARGE, 1), (SMALL, 200)], ids=["large", "small"])
async def test_expired_streams_free_a_full_disk(
    path: Path, disk: Path, clock: Clock, events: list[bytes], at_once: int, others: str
) -> None:
    async with open_sqlite(path, LIMITS, clock=clock) as store:
        if others == "fill three quarters first":
            fill(disk, leave=DISK_BYTES // 4)
        for name in ("first", "second", "third"):
            stored = await publish_until_full(store, name, events, at_once=at_once)
            if others == "fill the rest":
                fill(disk)
            await assert_refused(store)
            last = await read(store, stream_id=f"{name} {stored - 1}")
            assert (list(last.events), last.end_of_stream) == (events, True)
            clock.now += 101
            await wait_until_stored(store, f"{name} again")
    async with open_sqlite(path, LIMITS, clock=clock) as store:
        assert list((await read(store, stream_id="third again")).events) == LARGE


@pytest.mark.parametrize("appends", range(4))
async def test_expired_streams_free_a_disk_that_other_programs_fill_at_once(
    path: Path, disk: Path, clock: Clock, appends: int
) -> None:
    async with open_sqlite(path, LIMITS, clock=clock) as store:
        for name in ("first", "second"):
            await store.append(Append(name, LARGE, end_of_stream=True))
        for number in range(appends):  # which are in the log, and not yet in the file
            await store.append(Append(f"s {number}", LARGE[:50], end_of_stream=True))
        fill(disk)
        await assert_refused(store)
        clock.now += 101
        await wait_until_stored(store, "again")


async def test_a_full_disk_recovers_when_other_programs_free_space(path: Path, disk: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        other = fill(disk)
        await assert_refused(store)
        other.unlink()
        await store.append(Append("s", LARGE))


async def test_deletions_succeed_on_a_full_disk_and_free_space(path: Path, disk: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        stored = await publish_until_full(store, "s", LARGE)
        fill(disk)
        for number in range(stored):
            # Both in one transaction.
            await asyncio.gather(store.delete(f"s {number}", None), assert_refused(store, [b"x" * 1000] * 7000))
        while await asyncio.to_thread(row_count, path):
            pass
        assert await publish_until_full(store, "again", LARGE) > stored // 2
    async with open_sqlite(path, LIMITS) as store:
        with pytest.raises(StreamNotFoundError):
            await store.info(f"s {stored - 1}")


async def test_5000_streams_that_expire_at_once_free_a_full_disk(path: Path, disk: Path, clock: Clock) -> None:
    async with open_sqlite(path, LIMITS, clock=clock) as store:
        appends = [Append(f"s {number}", [b"x"], end_of_stream=True) for number in range(5000)]
        await asyncio.gather(*map(store.append, appends))
        fill(disk)
        await assert_refused(store)
        clock.now += 101
        await wait_until_stored(store, "again")
        while await asyncio.to_thread(row_count, path) > 10:
            pass


async def test_a_restarted_server_recovers_from_a_full_disk(
    path: Path, disk: Path, tmp_path: Path, clock: Clock
) -> None:
    async with open_sqlite(path, LIMITS, clock=clock) as store:
        stored = await publish_until_full(store, "s", LARGE)
        for file in disk.iterdir():  # noqa: ASYNC240 - as kill -9 leaves them
            shutil.copy(file, tmp_path)
    for suffix in ("", "-wal", "-shm"):
        shutil.copy(tmp_path / f"{path.name}{suffix}", disk)
    fill(disk)
    async with open_sqlite(path, LIMITS, clock=clock) as store:
        assert list((await read(store, stream_id=f"s {stored - 1}")).events) == LARGE
        clock.now += 101
        await wait_until_stored(store, "again")


async def test_the_disk_reserve_is_allocated_at_the_start_and_kept(path: Path, clock: Clock) -> None:
    log = path.with_name(f"{path.name}-wal")
    async with open_sqlite(path, LIMITS, clock=clock) as store:
        reserve = log.stat().st_blocks * 512
        assert DISK_BYTES // 20 < reserve <= DISK_BYTES // 16
        await store.append(Append("larger", [b"x" * 1000] * 1000, end_of_stream=True))
        await store.append(Append("s", [b"x"]))
        assert reserve <= log.stat().st_blocks * 512 < 2 * reserve
