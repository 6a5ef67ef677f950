"""The file of a running server: another one at its path, or another name of it, is noticed and refused."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from openresponses_grpc.store import Append, OpenStoreError, Store, StoreLimits, StoreUnavailableError
from openresponses_grpc.store.sqlite import open_sqlite

from .file import read

LIMITS = StoreLimits()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def moved(path: Path) -> None:
    path.rename(path.with_name("moved.db"))


def replaced(path: Path) -> None:
    moved(path)
    path.write_bytes(path.with_name("moved.db").read_bytes())


def linked(path: Path) -> None:
    path.with_name("moved.db").hardlink_to(path)


def its_folder_moved(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))


def moved_back(path: Path) -> None:
    path.with_name("moved.db").replace(path)


def link_removed(path: Path) -> None:
    path.with_name("moved.db").unlink()


def its_folder_moved_back(path: Path) -> None:
    path.parent.with_name("elsewhere").rename(path.parent)


def deleted(path: Path) -> None:
    path.unlink()


def log_of(change: Callable[[Path], None]) -> Callable[[Path], None]:
    return lambda path: change(path.with_name(f"{path.name}-wal"))


async def refused(store: Store, problem: str) -> None:
    with pytest.raises(StoreUnavailableError, match=problem):
        await store.append(Append("s", [b"lost"]))
    with pytest.raises(StoreUnavailableError, match=problem):
        await store.delete("s", None)


@pytest.mark.parametrize(
    "change, back, problem",
    [
        (moved, moved_back, "{path} is gone, .*: move the original file back"),
        (replaced, moved_back, "{path} was replaced by another file, .* move its store.db-wal and store.db-shm away"),
        (its_folder_moved, its_folder_moved_back, "{path} is gone"),
        (linked, link_removed, r"{path} has 2 hard links.* remove all but this one; `find .*{path}`"),
        (
            log_of(moved),
            log_of(moved_back),
            "{path}-wal is gone, .* stop the server, which saves its data in store.db",
        ),
        (log_of(replaced), log_of(moved_back), "{path}-wal was replaced by another file"),
    ],
)
async def test_nothing_is_acknowledged_that_a_restart_would_not_find(
    path: Path, change: Callable[[Path], None], back: Callable[[Path], None], problem: str
) -> None:
    async with open_sqlite(path, LIMITS) as store:
        await store.append(Append("s", [b"a"]))
        for event in (b"b", b"c"):
            change(path)
            await refused(store, problem.format(path=re.escape(str(path))))
            assert (await read(store)).events[0] == b"a"
            back(path)
            await store.append(Append("s", [event]))
    async with open_sqlite(path, LIMITS) as store:
        assert list((await read(store)).events) == [b"a", b"b", b"c"]


async def test_it_is_noticed_without_a_call(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        moved(path)
        with pytest.raises(StoreUnavailableError, match=r"store\.db is gone"):
            await store.check()  # the server does this each second
        moved_back(path)
        await store.check()
        await store.append(Append("s", [b"a"]))


async def test_a_log_that_was_deleted_is_saved_when_the_server_stops(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        await store.append(Append("s", [b"a"]))
        log_of(deleted)(path)
        await refused(store, "store.db-wal is gone")
    async with open_sqlite(path, LIMITS) as store:
        assert list((await read(store)).events) == [b"a"]


async def test_after_the_file_was_deleted_the_next_server_starts_with_an_empty_one(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        await store.append(Append("s", [b"a"]))
        deleted(path)
        await refused(store, "store.db is gone")
    async with open_sqlite(path, LIMITS) as store:
        assert not (await read(store)).epoch


@pytest.mark.parametrize("name", [moved, linked])
async def test_a_file_is_opened_once_whatever_it_is_called(path: Path, name: Callable[[Path], None]) -> None:
    async with open_sqlite(path, LIMITS) as store:
        await store.append(Append("s", [b"a"]))
        name(path)
        other = path.with_name("moved.db")
        with pytest.raises(OpenStoreError, match=f"{other} is open in another server"):
            async with open_sqlite(other, LIMITS):
                pass


async def test_a_file_with_two_names_is_refused_by_either(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        await store.append(Append("s", [b"a"]))
    linked(path)
    for each in (path, path.with_name("moved.db")):
        with pytest.raises(OpenStoreError, match=rf"^{each} has 2 hard links.*: remove all but this one"):
            async with open_sqlite(each, LIMITS):
                pass
    deleted(path)
    async with open_sqlite(path.with_name("moved.db"), LIMITS) as store:
        assert list((await read(store)).events) == [b"a"]


async def test_a_symbolic_link_is_another_way_to_the_same_file(path: Path) -> None:
    link = path.with_name("link.db")
    link.symlink_to(path)
    async with open_sqlite(link, LIMITS) as store:
        await store.append(Append("s", [b"a"]))
        with pytest.raises(OpenStoreError, match=f"{path} is open in another server"):
            async with open_sqlite(path, LIMITS):
                pass
    async with open_sqlite(path, LIMITS) as store:
        assert list((await read(store)).events) == [b"a"]
