"""A running server detects that its file was move, replace, deleted or link_to."""

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


def move(path: Path) -> None:
    path.rename(path.with_name("moved.db"))


def replace(path: Path) -> None:
    move(path)
    path.write_bytes(path.with_name("moved.db").read_bytes())


def link_to(path: Path) -> None:
    path.with_name("moved.db").hardlink_to(path)


def move_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))


def move_back(path: Path) -> None:
    path.with_name("moved.db").replace(path)


def remove_link(path: Path) -> None:
    path.with_name("moved.db").unlink()


def move_folder_back(path: Path) -> None:
    path.parent.with_name("elsewhere").rename(path.parent)


def delete(path: Path) -> None:
    path.unlink()


def in_wal(change: Callable[[Path], None]) -> Callable[[Path], None]:
    return lambda path: change(path.with_name(f"{path.name}-wal"))


async def assert_refused(store: Store, problem: str) -> None:
    with pytest.raises(StoreUnavailableError, match=problem):
        await store.append(Append("s", [b"lost"]))
    with pytest.raises(StoreUnavailableError, match=problem):
        await store.delete("s", None)


@pytest.mark.parametrize(
    "change, back, problem",
    [
        (move, move_back, "{path} is gone, .*: move the original file back"),
        (replace, move_back, "{path} was replaced by another file, .* move its store.db-wal and store.db-shm away"),
        (move_folder, move_folder_back, "{path} is gone"),
        (link_to, remove_link, r"{path} has 2 hard links.* remove all but this one; `find .*{path}`"),
        (
            in_wal(move),
            in_wal(move_back),
            "{path}-wal is gone, .* stop the server, which saves its data in store.db",
        ),
        (in_wal(replace), in_wal(move_back), "{path}-wal was replaced by another file"),
    ],
)
async def test_a_moved_or_replaced_file_acknowledges_nothing_until_it_is_back(
    path: Path, change: Callable[[Path], None], back: Callable[[Path], None], problem: str
) -> None:
    async with open_sqlite(path, LIMITS) as store:
        await store.append(Append("s", [b"a"]))
        for event in (b"b", b"c"):
            change(path)
            await assert_refused(store, problem.format(path=re.escape(str(path))))
            assert (await read(store)).events[0] == b"a"
            back(path)
            await store.append(Append("s", [event]))
    async with open_sqlite(path, LIMITS) as store:
        assert list((await read(store)).events) == [b"a", b"b", b"c"]


async def test_the_check_detects_a_moved_file(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        move(path)
        with pytest.raises(StoreUnavailableError, match=r"store\.db is gone"):
            await store.check()  # the server calls this every second
        move_back(path)
        await store.check()
        await store.append(Append("s", [b"a"]))


async def test_a_deleted_write_ahead_log_is_saved_when_the_server_stops(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        await store.append(Append("s", [b"a"]))
        in_wal(delete)(path)
        await assert_refused(store, "store.db-wal is gone")
    async with open_sqlite(path, LIMITS) as store:
        assert list((await read(store)).events) == [b"a"]


async def test_after_a_deletion_of_the_file_the_next_server_starts_empty(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        await store.append(Append("s", [b"a"]))
        delete(path)
        await assert_refused(store, "store.db is gone")
    async with open_sqlite(path, LIMITS) as store:
        assert not (await read(store)).epoch


@pytest.mark.parametrize("name", [move, link_to])
async def test_a_file_is_opened_only_once_under_any_name(path: Path, name: Callable[[Path], None]) -> None:
    async with open_sqlite(path, LIMITS) as store:
        await store.append(Append("s", [b"a"]))
        name(path)
        other = path.with_name("moved.db")
        with pytest.raises(OpenStoreError, match=f"{other} is open in another server"):
            async with open_sqlite(other, LIMITS):
                pass


async def test_a_file_with_two_hard_links_is_refused_under_either_name(path: Path) -> None:
    async with open_sqlite(path, LIMITS) as store:
        await store.append(Append("s", [b"a"]))
    link_to(path)
    for each in (path, path.with_name("moved.db")):
        with pytest.raises(OpenStoreError, match=rf"^{each} has 2 hard links.*: remove all but this one"):
            async with open_sqlite(each, LIMITS):
                pass
    delete(path)
    async with open_sqlite(path.with_name("moved.db"), LIMITS) as store:
        assert list((await read(store)).events) == [b"a"]


async def test_a_symbolic_link_leads_to_the_same_store(path: Path) -> None:
    link = path.with_name("link.db")
    link.symlink_to(path)
    async with open_sqlite(link, LIMITS) as store:
        await store.append(Append("s", [b"a"]))
        with pytest.raises(OpenStoreError, match=f"{path} is open in another server"):
            async with open_sqlite(path, LIMITS):
                pass
    async with open_sqlite(path, LIMITS) as store:
        assert list((await read(store)).events) == [b"a"]
