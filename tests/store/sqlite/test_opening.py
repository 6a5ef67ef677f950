"""Opening the store's file: which files are refused, and with which error."""

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


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def of_schema(version: int) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with connected(path) as connection:
            connection.execute(f"PRAGMA user_version = {version}")

    return change


def of_another_program(path: Path) -> None:
    path.unlink()
    with connected(path) as connection:
        connection.execute("CREATE TABLE streams (id)")


def without_a_table(path: Path) -> None:
    with connected(path) as connection:
        connection.execute("DROP TABLE batches")


def a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def torn_copies(path: Path) -> Iterator[Path]:
    """The file with its write-ahead log cut at one place after the other."""
    log = path.with_name(f"{path.name}-wal").read_bytes().rstrip(b"\0")  # what follows is the reserve
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
        (without_a_table, DAMAGED),
        (of_schema(1), "another version .*schema 1 instead of 3.*: run that version"),
        (of_schema(2), "another version .*schema 2 instead of 3.*: run that version"),
        (of_schema(4), "another version .*schema 4 instead of 3.*: run that version"),
        (of_another_program, "another program"),
        (a_directory, "cannot be used .* write the file and its directory"),
    ],
)
async def test_a_file_that_cannot_be_used_is_named_with_what_to_do(
    path: Path, damage: Callable[[Path], None], problem: str
) -> None:
    async with open_sqlite(path, LIMITS) as store:
        await store.append(Append("s", [b"x" * 10_000]))
    damage(path)
    for _ in range(2):  # and it is left as it is, without a lock
        with pytest.raises(OpenStoreError, match=f"^{path}.*{problem}"):
            async with open_sqlite(path, LIMITS):
                pass


async def test_an_empty_file_is_a_new_store(path: Path) -> None:
    emptied(path)
    async with open_sqlite(path, LIMITS) as store:
        assert (await store.append(Append("s", [b"a"]))).next_offset == 1


async def test_of_a_torn_log_all_whole_transactions_are_kept(path: Path) -> None:
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


async def test_one_server_opens_one_file(path: Path) -> None:
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
async def test_a_url_that_is_wrong_says_what_there_is(path: Path, url: str, problem: str) -> None:
    with pytest.raises(OpenStoreError, match=problem):
        async with open_store(url.format(path=path), LIMITS):
            pass
    assert not exists(path)


@pytest.mark.parametrize("query, synchronous", [("", 1), ("?synchronous=full", 2)])
async def test_a_commit_waits_for_the_disk_where_it_is_asked_to(path: Path, query: str, synchronous: int) -> None:
    async with open_store(f"sqlite:{path}{query}", LIMITS) as store:
        file = store._file  # type: ignore[attr-defined]
        assert file._writer.execute("PRAGMA synchronous").fetchone() == (synchronous,)
