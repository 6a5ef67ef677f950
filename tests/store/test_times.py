"""Wall clock changes neither shorten nor extend retention, in one process and across restarts."""

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
    """A machine with a steady clock that tests advance and a wall clock that they set."""

    def __init__(self) -> None:
        self.boot = "first"
        self.clock = 1000.0
        self.ahead = 1_800_000_000.0

    def steady(self) -> float:
        return self.clock

    def wall(self) -> float:
        return self.clock + self.ahead

    def advance(self, seconds: float) -> None:
        self.clock += seconds

    def reboot(self, seconds: float) -> None:
        """Reboots after `seconds`; the steady clock restarts."""
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
async def test_wall_clock_changes_do_not_affect_retention(opened: Open, machine: Machine, jump: float) -> None:
    async with opened() as store:
        await store.append(Append("finished", [b"a"], end_of_stream=True))
        await store.append(Append("left", [b"a"]))
        machine.advance(KEEP / 2)
        machine.ahead += jump
        machine.advance(KEEP / 2 - 1)
        assert await has(store, "finished")
        machine.advance(1)
        assert not await has(store, "finished")
        machine.ahead -= jump
        machine.advance(ABANDON - 1)
        assert await has(store, "left")
        machine.advance(1)
        assert not await has(store, "left")


@pytest.mark.parametrize("jump", JUMPS)
async def test_descriptions_use_the_current_wall_clock(opened: Open, machine: Machine, jump: float) -> None:
    async with opened() as store:
        await store.append(Append("s", [b"a"], end_of_stream=True))
        machine.advance(10)
        machine.ahead += jump
        (info,) = (await store.list(10, "", lambda _: True)).streams
        assert info == await store.info("s")
        assert info.created_at == pytest.approx(machine.wall() - 10)
        assert info.expires_at == pytest.approx(machine.wall() + KEEP - 10)


@pytest.mark.parametrize("when", ["before the server ends", "while no server runs"])
@pytest.mark.parametrize("jump", JUMPS)
async def test_wall_clock_changes_do_not_affect_retention_across_a_server_restart(
    reopened: Open, machine: Machine, jump: float, when: str
) -> None:
    async with reopened() as store:
        await store.append(Append("s", [b"a"], end_of_stream=True))
        if when == "before the server ends":
            machine.ahead += jump
    machine.advance(KEEP / 2)
    if when == "while no server runs":
        machine.ahead += jump
    async with reopened() as store:
        machine.advance(KEEP / 2 - 1)
        assert await has(store, "s")
        machine.advance(1)
        assert not await has(store, "s")


async def test_across_a_reboot_the_wall_clock_measures_the_elapsed_time(reopened: Open, machine: Machine) -> None:
    async with reopened() as store:
        await store.append(Append("s", [b"a"], end_of_stream=True))
    machine.reboot(ABANDON / 2)
    async with reopened() as store:
        machine.advance(KEEP - ABANDON / 2 - 1)
        assert await has(store, "s")
        machine.advance(1)
        assert not await has(store, "s")


@pytest.mark.parametrize("jump", JUMPS)
async def test_across_a_reboot_earlier_wall_clock_changes_have_no_effect(
    reopened: Open, machine: Machine, jump: float
) -> None:
    async with reopened() as store:
        await store.append(Append("s", [b"a"], end_of_stream=True))
        machine.ahead += jump
    machine.reboot(ABANDON / 2)
    async with reopened() as store:
        machine.advance(KEEP - ABANDON / 2 - 1)
        assert await has(store, "s")
        machine.advance(1)
        assert not await has(store, "s")


@pytest.mark.parametrize("jump, counts", [(HOUR, ABANDON), (DAY, ABANDON), (-HOUR, 0), (-DAY, 0)])
async def test_a_reboot_ages_streams_by_at_most_the_abandon_time(
    reopened: Open, machine: Machine, jump: float, counts: float
) -> None:
    async with reopened() as store:
        await store.append(Append("s", [b"a"], end_of_stream=True))
    machine.reboot(jump)
    left = KEEP - counts
    for _ in range(3):
        async with reopened() as store:
            machine.advance(left / 4)
            assert await has(store, "s")
    async with reopened() as store:
        machine.advance(left / 4)
        assert not await has(store, "s")


async def test_without_a_boot_id_the_wall_clock_measures_the_elapsed_time(reopened: Open, machine: Machine) -> None:
    machine.boot = ""
    async with reopened() as store:
        await store.append(Append("s", [b"a"], end_of_stream=True))
    machine.advance(ABANDON / 2)
    machine.ahead += ABANDON / 2
    async with reopened() as store:
        machine.advance(KEEP - ABANDON - 1)
        assert await has(store, "s")
        machine.advance(1)
        assert not await has(store, "s")


def test_small_wall_clock_corrections_are_ignored() -> None:
    machine = Machine()
    times = Times(machine.steady, machine.wall)
    for _ in range(5):
        machine.ahead += 0.1
        assert not times.check_wall()
    assert times.wall_at_0 == 0
    machine.ahead += 1
    assert times.check_wall()
    assert times() + times.wall_at_0 == pytest.approx(machine.wall())
