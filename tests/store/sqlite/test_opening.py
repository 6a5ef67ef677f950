"""Opening an SQLite store: rejected files and their errors."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openresponses_grpc.store import Append, OpenStoreError, StoreLimits, open_store
from openresponses_grpc.store.sqlite import open_sqlite

from .file import connected

LIMITS = StoreLimits()
DAMAGED = "is not a database or is damaged .*: stop the server, and move the file away together with store.db-wal"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def overwrite(path: Path, start: int, end: int) -> None:
    data = bytearray(path.read_bytes())
    data[start:end] = b"x" * len(data[start:end])
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(b"")


def set_schema_version(version: int) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with connected(path) as connection:
            connection.execute(f"PRAGMA user_version = {version}")

    return change


def replace_with_foreign_database(path: Path) -> None:
    path.unlink()
    with connected(path) as connection:
        connection.execute("CREATE TABLE streams (id)")


def drop_table(path: Path) -> None:
    with connected(path) as connection:
        connection.execute("DROP TABLE batches")


def replace_with_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def torn_copies(path: Path) -> Iterator[Path]:
    """Yields copies of the file with the write-ahead log cut at different places."""
    log = path.with_name(f"{path.name}-wal").read_bytes().rstrip(b"\0")  # the zeros are the disk reserve
    for end in range(len(log) // 2, len(log), 19_999):
        copy = path.with_name(f"{end}.db")
        copy.write_bytes(path.read_bytes())
        copy.with_name(f"{copy.name}-wal").write_bytes(log[:end])
        yield copy


def exists(path: Path) -> bool:
    return path.exists()


@pytest.mark.parametrize(
    "damage, problem",
    [
        (lambda path: path.write_bytes(b"no database"), DAMAGED),
        (lambda path: overwrite(path, 0, 100), DAMAGED),
        (lambda path: overwrite(path, 100, 200), DAMAGED),
        (
            lambda path: path.write_bytes(path.read_bytes()[:9000]),
            DAMAGED,
        ),
        (drop_table, DAMAGED),
        (set_schema_version(1), "another version .*schema 1 instead of 3.*: run that version"),
        (set_schema_version(2), "another version .*schema 2 instead of 3.*: run that version"),
        (set_schema_version(4), "another version .*schema 4 instead of 3.*: run that version"),
        (replace_with_foreign_database, "another program"),
        (replace_with_directory, "cannot be used .* write the file and its directory"),
    ],
)
async def test_an_unusable_file_is_rejected_with_a_remedy(
    path: Path, damage: Callable[[Path], None], problem: str
) -> None:
    async with open_sqlite(path, LIMITS) as store:
        await store.append(Append("s", [b"x" * 10_000]))
    damage(path)
    for _ in range(2):  # the first attempt leaves the file unchanged and unlocked
        with pytest.raises(OpenStoreError, match=f"^{path}.*{problem}"):
            async with open_sqlite(path, LIMITS):
                pass


async def test_an_empty_file_is_a_new_store(path: Path) -> None:
    truncate(path)
    async with open_sqlite(path, LIMITS) as store:
        assert (await store.append(Append("s", [b"a"]))).next_offset == 1


async def test_a_torn_write_ahead_log_keeps_all_complete_transactions(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        for number in range(50):
            await store.append(Append("s", [b"%d" % number]))
        torn = list(torn_copies(path))
    ends = set()
    for copy in torn:
        async with open_sqlite(copy, LIMITS) as store:
            ends.add((await store.append(Append("s", []))).next_offset)
            batch = await store.read("s", 0, epoch=None, max_bytes=1000, timeout=0)
            assert list(batch.events) == [b"%d" % number for number in range(len(batch.events))]
    assert len(ends) > 5


async def test_a_file_is_opened_by_one_server_at_a_time(path: Path) -> None:
    async with open_sqlite(path, LIMITS):
        with pytest.raises(OpenStoreError, match=f"{path} is open in another server: stop that server"):
            async with open_sqlite(path, LIMITS):
                pass
    async with open_sqlite(path, LIMITS):
        pass


@pytest.mark.parametrize(
    "url, problem",
    [
        ("floppy:", "use memory:, sqlite:PATH or redis://"),
        ("memory:x", "use memory:, sqlite:PATH or redis://"),
        ("sqlite:", "use memory:, sqlite:PATH or redis://"),
        ("sqlite:{path}?", r"the only option is \?synchronous=full"),
        ("sqlite:{path}?synchronous=off", r"the only option is \?synchronous=full"),
        ("sqlite:{path}?cache=shared", r"the only option is \?synchronous=full"),
        ("sqlite:{path}/store.db", "the directory .*store.db does not exist: create it"),
    ],
)
async def test_an_invalid_url_is_rejected_with_the_valid_forms(path: Path, url: str, problem: str) -> None:
    with pytest.raises(OpenStoreError, match=problem):
        async with open_store(url.format(path=path), LIMITS):
            pass
    assert not exists(path)


@pytest.mark.parametrize("query, synchronous", [("", 1), ("?synchronous=full", 2)])
async def test_commits_wait_for_the_disk_with_synchronous_full(path: Path, query: str, synchronous: int) -> None:
    async with open_store(f"sqlite:{path}{query}", LIMITS) as store:
        file = store._file  # type: ignore[attr-defined]
        assert file._writer.execute("PRAGMA synchronous").fetchone() == (synchronous,)
