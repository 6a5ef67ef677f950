"""A wall clock that is set: nothing expires early, nothing is kept for ever, in one process and over restarts."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest

from openresponses_grpc.store import Append, MemoryStore, Store, StoreLimits, StreamNotFoundError
from openresponses_grpc.store._times import Times
from openresponses_grpc.store.sqlite import open_sqlite

HOUR, DAY = 3600.0, 86400.0
JUMPS = [HOUR, -HOUR, -DAY, DAY]
KEEP, ABANDON = 300.0, 60.0
LIMITS = StoreLimits(retention=KEEP, abandon_after=ABANDON)


class Machine:
    """A machine whose time passes when the test says so, and whose wall clock can be set."""

    def __init__(self) -> None:
        self.boot = "first"
        self.clock = 1000.0
        self.ahead = 1_800_000_000.0

    def steady(self) -> float:
        return self.clock

    def wall(self) -> float:
        return self.clock + self.ahead

    def passes(self, seconds: float) -> None:
        self.clock += seconds

    def is_started_again(self, seconds: float) -> None:
        """Is off for some time; its steady clock begins anew."""
        wall = self.wall() + seconds
        self.boot, self.clock = "second", 5.0
        self.ahead = wall - self.clock


class Open(Protocol):
    def __call__(self) -> AbstractAsyncContextManager[Store]: ...


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture(params=["memory", "sqlite"])
def opened(request: pytest.FixtureRequest, machine: Machine, tmp_path: Path) -> Open:
    @asynccontextmanager
    async def memory() -> AsyncIterator[Store]:
        yield MemoryStore(LIMITS, clock=machine.steady, wall=machine.wall)

    return memory if request.param == "memory" else sqlite(machine, tmp_path)


@pytest.fixture
def reopened(machine: Machine, tmp_path: Path) -> Open:
    return sqlite(machine, tmp_path)


def sqlite(machine: Machine, folder: Path) -> Open:
    return lambda: open_sqlite(folder / "store.db", LIMITS, clock=machine.steady, wall=machine.wall, boot=machine.boot)


async def has(store: Store, stream_id: str) -> bool:
    try:
        await store.info(stream_id)
    except StreamNotFoundError:
        return False
    return True


@pytest.mark.parametrize("jump", JUMPS)
async def test_a_stream_is_kept_as_long_as_it_should_be_whatever_the_wall_clock_is_set_to(
    opened: Open, machine: Machine, jump: float
) -> None:
    async with opened() as store:
        await store.append(Append("finished", [b"a"], end_of_stream=True))
        await store.append(Append("left", [b"a"]))
        machine.passes(KEEP / 2)
        machine.ahead += jump
        machine.passes(KEEP / 2 - 1)
        assert await has(store, "finished")
        machine.passes(1)
        assert not await has(store, "finished")
        machine.ahead -= jump
        machine.passes(ABANDON - 1)
        assert await has(store, "left")
        machine.passes(1)
        assert not await has(store, "left")


@pytest.mark.parametrize("jump", JUMPS)
async def test_descriptions_are_told_by_the_wall_clock_as_it_is(opened: Open, machine: Machine, jump: float) -> None:
    async with opened() as store:
        await store.append(Append("s", [b"a"], end_of_stream=True))
        machine.passes(10)
        machine.ahead += jump
        (info,) = (await store.list(10, "", lambda _: True)).streams
        assert info == await store.info("s")
        assert info.created_at == pytest.approx(machine.wall() - 10)
        assert info.expires_at == pytest.approx(machine.wall() + KEEP - 10)


@pytest.mark.parametrize("when", ["before the server ends", "while no server runs"])
@pytest.mark.parametrize("jump", JUMPS)
async def test_over_a_restart_of_the_server_time_is_measured(
    reopened: Open, machine: Machine, jump: float, when: str
) -> None:
    async with reopened() as store:
        await store.append(Append("s", [b"a"], end_of_stream=True))
        if when == "before the server ends":
            machine.ahead += jump
    machine.passes(KEEP / 2)
    if when == "while no server runs":
        machine.ahead += jump
    async with reopened() as store:
        machine.passes(KEEP / 2 - 1)
        assert await has(store, "s")
        machine.passes(1)
        assert not await has(store, "s")


async def test_over_a_restart_of_the_machine_the_wall_clock_counts(reopened: Open, machine: Machine) -> None:
    async with reopened() as store:
        await store.append(Append("s", [b"a"], end_of_stream=True))
    machine.is_started_again(ABANDON / 2)
    async with reopened() as store:
        machine.passes(KEEP - ABANDON / 2 - 1)
        assert await has(store, "s")
        machine.passes(1)
        assert not await has(store, "s")


@pytest.mark.parametrize("jump", JUMPS)
async def test_a_wall_clock_that_was_set_while_a_server_ran_counts_from_there(
    reopened: Open, machine: Machine, jump: float
) -> None:
    async with reopened() as store:
        await store.append(Append("s", [b"a"], end_of_stream=True))
        machine.ahead += jump
    machine.is_started_again(ABANDON / 2)
    async with reopened() as store:
        machine.passes(KEEP - ABANDON / 2 - 1)
        assert await has(store, "s")
        machine.passes(1)
        assert not await has(store, "s")


@pytest.mark.parametrize("jump, counts", [(HOUR, ABANDON), (DAY, ABANDON), (-HOUR, 0), (-DAY, 0)])
async def test_a_wall_clock_that_was_set_while_the_machine_was_off_counts_for_a_moment_at_most(
    reopened: Open, machine: Machine, jump: float, counts: float
) -> None:
    async with reopened() as store:
        await store.append(Append("s", [b"a"], end_of_stream=True))
    machine.is_started_again(jump)
    left = KEEP - counts
    for _ in range(3):
        async with reopened() as store:
            machine.passes(left / 4)
            assert await has(store, "s")
    async with reopened() as store:
        machine.passes(left / 4)
        assert not await has(store, "s")


async def test_without_a_name_for_the_run_of_the_kernel_the_wall_clock_counts(reopened: Open, machine: Machine) -> None:
    machine.boot = ""
    async with reopened() as store:
        await store.append(Append("s", [b"a"], end_of_stream=True))
    machine.passes(ABANDON / 2)
    machine.ahead += ABANDON / 2
    async with reopened() as store:
        machine.passes(KEEP - ABANDON - 1)
        assert await has(store, "s")
        machine.passes(1)
        assert not await has(store, "s")


def test_small_corrections_of_the_wall_clock_change_no_description() -> None:
    machine = Machine()
    times = Times(machine.steady, machine.wall)
    for _ in range(5):
        machine.ahead += 0.1
        assert not times.check_wall()
    assert times.wall_at_0 == 0
    machine.ahead += 1
    assert times.check_wall()
    assert times() + times.wall_at_0 == pytest.approx(machine.wall())
