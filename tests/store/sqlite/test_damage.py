"""Damaged files and lost transactions: readers get intact events or an error."""

import asyncio
import shutil
from collections.abc import Callable
from itertools import accumulate, chain
from pathlib import Path
from random import Random

import pytest

from openresponses_grpc.store import (
    Append,
    Check,
    DataLossError,
    End,
    OpenStoreError,
    Store,
    StoreLimits,
    StreamDivergedError,
)
from openresponses_grpc.store._segment import PIECE_BYTES
from openresponses_grpc.store.sqlite import open_sqlite

from ..every_store.reading import read
from .file import connected

LIMITS = StoreLimits()

RANDOM = Random(1)
APPENDS = [
    [RANDOM.randbytes(RANDOM.choice((1, 90, 180, 700, 5000))) for _ in range(RANDOM.choice((1, 1, 1, 2, 30)))]
    for _ in range(60)
]
LOG = list(chain.from_iterable(APPENDS))
FIRST_OFFSETS = [0, *accumulate(map(len, APPENDS))]
"""The first offset of each append, and the end offset."""


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The content of a store file with the appends."""

    async def store_appends() -> None:
        async with open_sqlite(file, LIMITS) as store:
            for events in APPENDS:
                await store.append(Append("s", events))

    file = tmp_path_factory.mktemp("stored") / "store.db"
    asyncio.run(store_appends())
    return file.read_bytes()


@pytest.fixture
def path(stored: bytes, tmp_path: Path) -> Path:
    """A copy of the stored file."""
    path = tmp_path / "store.db"
    path.write_bytes(stored)
    return path


def flip_in_file(path: Path, data: bytes) -> None:
    """Flips a bit in the first byte of `data` in a file."""
    stored = path.read_bytes()
    path.write_bytes(flipped(stored, stored.index(data) * 8))


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


async def read_until_damage(store: Store, start: int, max_bytes: int) -> tuple[list[bytes], int | None]:
    """Returns the events that a subscriber gets, and the offset of the damage, or None if there was none."""
    events: list[bytes] = []
    check: Check | None = None
    epoch = (await store.info("s")).epoch
    end = (await store.info("s")).next_offset
    while start + len(events) < end:
        try:
            batch = await read(store, start + len(events), epoch=epoch, check=check, max_bytes=max_bytes)
        except DataLossError as error:
            return events, int(error.metadata["offset"])
        assert batch.first_offset == start + len(events)
        assert batch.checksum is not None
        events += batch.events
        check = Check(start + len(events), batch.checksum)
    return events, None


@pytest.mark.parametrize("seed", range(15))
async def test_a_flipped_bit_is_data_loss_at_its_append_after_all_earlier_events(path: Path, seed: int) -> None:
    random = Random(seed)
    append = random.randrange(len(APPENDS))
    first, end = FIRST_OFFSETS[append : append + 2]
    with connected(path) as connection:
        number, data = connection.execute(
            "SELECT number, data FROM batches WHERE first_offset = ?", (first,)
        ).fetchone()
        data = flipped(data, random.randrange(len(data) * 8))
        connection.execute("UPDATE batches SET data = ? WHERE number = ?", (data, number))
    for _ in range(2):
        async with open_sqlite(path, LIMITS) as store:
            for max_bytes in (1, 2000, 1 << 30):
                for start in {0, first // 2, max(first - 1, 0)}:
                    assert await read_until_damage(store, start, max_bytes) == (LOG[start:first], first)
                for start in {first, (first + end) // 2, end - 1}:
                    assert await read_until_damage(store, start, max_bytes) == ([], first)
                assert await read_until_damage(store, end, max_bytes) == (LOG[end:], None)


async def test_a_flipped_bit_in_a_large_append_damages_only_its_piece(path: Path) -> None:
    events = [RANDOM.randbytes(10_000) for _ in range(100)]
    async with open_sqlite(path, LIMITS) as store:
        await store.append(Append("large", events))
    flip_in_file(path, events[60][5000:5050])
    per_piece = PIECE_BYTES // 10_000
    async with open_sqlite(path, LIMITS) as store:
        offset = 0
        with pytest.raises(DataLossError) as caught:
            while True:
                batch = await store.read("large", offset, epoch=None, max_bytes=100_000, timeout=0)
                assert list(batch.events) == events[offset : offset + len(batch.events)]
                offset += len(batch.events)
        assert offset == 60 // per_piece * per_piece
        assert caught.value.metadata == {"offset": str(offset)}
        retry = Append("large", events[:offset], first_offset=0)
        assert (await store.append(retry)).next_offset == 100
        with pytest.raises(DataLossError):
            await store.append(retry._replace(events=events))


@pytest.mark.parametrize("column", ["stream", "next_offset", "checksum_before", "checksum", "data"])
@pytest.mark.parametrize("value", ["{0} + 1", "{0} - 1", "-{0} - 1", "{0} << 30", "'text'", "x''", "1.5"])
async def test_a_corrupted_row_never_yields_wrong_events(path: Path, column: str, value: str) -> None:
    first, end = FIRST_OFFSETS[20:22]
    with connected(path) as connection:
        connection.execute(f"UPDATE batches SET {column} = {value.format(column)} WHERE first_offset = ?", (first,))
    async with open_sqlite(path, LIMITS) as store:
        assert await read_until_damage(store, 0, 1) == (LOG[:first], first)
        assert await read_until_damage(store, end, 1) == (LOG[end:], None)
        # In a read over many rows, those around it prove its events intact although one of its checksums is not.
        events, damaged = await read_until_damage(store, 0, 1 << 30)
        assert events == LOG[: len(events)]
        assert damaged == first or (damaged is None and "checksum" in column)


async def test_a_missing_row_is_data_loss(path: Path) -> None:
    first, end = FIRST_OFFSETS[20:22]
    with connected(path) as connection:
        connection.execute("DELETE FROM batches WHERE first_offset = ?", (first,))
    async with open_sqlite(path, LIMITS) as store:
        assert await read_until_damage(store, 0, 1 << 30) == (LOG[:first], first)
        assert await read_until_damage(store, end, 1 << 30) == (LOG[end:], None)
        assert (await store.append(Append("s", [b"new"]))).next_offset == len(LOG) + 1


def replace_in_file(path: Path, old: bytes, new: bytes) -> None:
    stored = path.read_bytes()
    assert stored.count(old) == 1
    path.write_bytes(stored.replace(old, new))


async def test_an_index_entry_that_points_to_another_stream_is_data_loss(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with open_sqlite(path, LIMITS) as store:
        for count in (300, 1, 1):
            for stream_id in ("s", "t"):
                await store.append(Append(stream_id, [stream_id.encode()] * count))
    # An index entry: the header size, the types of the stream key (1), the offset and the row number, and then the
    # offset and the row number themselves.
    entry = b"\x04\x09\x02\x01" + (300).to_bytes(2)
    replace_in_file(path, entry + b"\3", entry + b"\4")
    async with open_sqlite(path, LIMITS) as store:
        assert await read_until_damage(store, 0, 1 << 30) == ([b"s"] * 300, 300)
        assert await read_until_damage(store, 300, 1 << 30) == ([], 300)
        assert await read_until_damage(store, 301, 1 << 30) == ([b"s"], None)


def pages_of_batches(path: Path) -> tuple[int, list[int]]:
    """Returns the page size, and the byte offsets of the pages of the batches and their index."""
    with connected(path) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        (count,) = connection.execute("PRAGMA page_count").fetchone()
        others = connection.execute("SELECT rootpage FROM sqlite_master WHERE tbl_name = 'streams'").fetchall()
    return size, [number * size for number in range(1, count) if (number + 1,) not in others]


DAMAGES: dict[str, Callable[[Random, bytes], bytes]] = {
    "zeros": lambda _, page: bytes(len(page)),
    "noise": lambda random, page: random.randbytes(len(page)),
    "flipped bits": lambda random, page: flipped(
        flipped(page, random.randrange(len(page) * 8)), random.randrange(len(page) * 8)
    ),
    "a flipped bit in its header": lambda random, page: flipped(page, random.randrange(100 * 8)),
    "another page": lambda random, page: page[: len(page) // 2] * 2,
}


def replace_page(path: Path, at: int, page: bytes, stored: bytes) -> None:
    """Writes a file with one page replaced, without its -wal and -shm files."""
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.write_bytes(stored[:at] + page + stored[at + len(page) :])


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_page_is_data_loss_or_prevents_opening(path: Path, stored: bytes, damage: str) -> None:
    random = Random(damage)
    outcomes = set()
    size, pages = pages_of_batches(path)
    for at in random.sample(pages, 15):
        replace_page(path, at, DAMAGES[damage](random, stored[at : at + size]), stored)
        try:
            async with open_sqlite(path, LIMITS) as store:
                for start in (0, *random.sample(FIRST_OFFSETS, 3)):
                    events, damaged = await read_until_damage(store, start, random.choice((20_000, 1 << 30)))
                    assert events == LOG[start : start + len(events)]
                    outcomes.add("intact" if damaged is None else "damaged")
        except OpenStoreError:
            outcomes.add("closed")
    assert {"intact", "damaged"} <= outcomes


async def test_a_damaged_page_at_the_end_of_one_stream_leaves_others_intact(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    names = ("before", "damaged", "after")
    logs = {name: [f"{name} {number}".encode() * 100 for number in range(40)] for name in names}
    logs["damaged"].append(b"the last one")
    logs["whole"] = [b"x" * 1000] * 20
    async with open_sqlite(path, LIMITS) as store:
        await store.append(Append("whole", logs["whole"]))
        for number in range(40):
            for name in names:
                await store.append(Append(name, [logs[name][number]]))
        await store.append(Append("damaged", logs["damaged"][40:], end_of_stream=True))
    size, _ = pages_of_batches(path)
    stored = path.read_bytes()
    replace_page(path, stored.index(b"the last one") // size * size, bytes(size), stored)
    async with open_sqlite(path, LIMITS) as store:
        lost = []
        for name in logs:
            end = (await store.info(name)).next_offset
            batch = await store.read(name, 0, epoch=None, max_bytes=1 << 30, timeout=0)
            assert list(batch.events) == logs[name][:end]
            if end == len(logs[name]):
                continue
            lost.append(name)
            assert end > 35
            for start in (end, end + 1):
                with pytest.raises(DataLossError) as caught:
                    await store.read(name, start, epoch=None, max_bytes=1, timeout=600)
                assert caught.value.metadata == {"offset": str(end)}
            with pytest.raises(DataLossError):
                await store.append(Append(name, [b"x"]))
            await store.delete(name, None)
        assert "damaged" in lost
        assert "whole" not in lost


def copy_without_last_commits(path: Path, lost: int) -> Path:
    """Copies an open file as a power failure can leave it: without the end of the write-ahead log."""
    log = path.with_name(f"{path.name}-wal").read_bytes()
    frame_size = 24 + int.from_bytes(log[8:12])
    # The last frame of a transaction contains the database size.
    ends = [at + frame_size for at in range(32, len(log), frame_size) if log[at + 4 : at + 8] != bytes(4)]
    copy = Path(shutil.copy(path, path.with_name(f"lost-{lost}.db")))
    copy.with_name(f"{copy.name}-wal").write_bytes(log[: ends[-1 - lost]])
    return copy


@pytest.mark.parametrize("lost", [1, 2, 9])
async def test_a_log_that_lost_acknowledged_events_has_diverged(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "store.db"
    events = [b"event %d" % number for number in range(10)]
    async with open_sqlite(path, LIMITS) as store:
        ends = [await store.append(Append("s", [event])) for event in events]
        copy = copy_without_last_commits(path, lost)
    position = ends[-1]
    async with open_sqlite(copy, LIMITS) as store:
        kept = (await store.info("s")).next_offset
        assert kept == 10 - lost
        await assert_resumes(store, ends[kept - 1])
        await assert_diverged(store, position, events)
        for number in range(lost + 3):
            await store.append(Append("s", [b"other %d" % number]))
            if number % 4:
                await assert_diverged(store, position, events)
        await store.append(Append("s", [b"x" * 2_000_000]))
        await store.append(Append("s", [b"y"]))  # now in the tail cache
        await assert_diverged(store, position, events)
    async with open_sqlite(copy, LIMITS) as store:
        await assert_diverged(store, position, events)
        await assert_resumes(store, ends[kept - 1])


async def assert_resumes(store: Store, end: End) -> None:
    check = Check(end.next_offset, end.checksum)
    await store.append(Append("s", epoch=end.epoch, check=check))
    await read(store, end.next_offset, epoch=end.epoch, check=check)


async def assert_diverged(store: Store, end: End, events: list[bytes]) -> None:
    """Asserts that reads, appends and retries with this position fail."""
    check = Check(end.next_offset, end.checksum)
    for start in range(end.next_offset + 2):
        with pytest.raises(StreamDivergedError):
            await store.read("s", start, epoch=end.epoch, check=check, max_bytes=1, timeout=600)
    for request in (Append("s"), Append("s", [b"x"]), Append("s", [b"x"], first_offset=end.next_offset)):
        with pytest.raises(StreamDivergedError):
            await store.append(request._replace(epoch=end.epoch, check=check))
    if (await store.info("s")).next_offset >= end.next_offset:
        with pytest.raises(StreamDivergedError):
            await store.append(Append("s", events, first_offset=0, epoch=end.epoch))


async def test_publisher_numbers_increase_even_after_the_latest_ones_were_lost(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with open_sqlite(path, LIMITS) as store:
        drawn = [(await store.append(Append("s", publisher=0))).publisher or 0 for _ in range(5)]
        copy = copy_without_last_commits(path, 3)
    async with open_sqlite(copy, LIMITS) as store:
        assert ((await store.append(Append("s", publisher=0))).publisher or 0) > drawn[-1]
