"""The clock of a store, which is not affected by changes of the wall clock."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

_SET_SECONDS: Final = 1.0
"""The deviation beyond which the wall clock counts as set, and not as adjusted."""


def steady() -> float:
    """Returns the seconds since the machine started, suspended time included."""
    # Only Linux has such a clock; elsewhere the store's clock stops while the machine is suspended.
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def boot_id() -> str:
    """Returns the id of the current boot; empty if the system has no boot id."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


class Offsets(NamedTuple):
    """The seconds to add to two clocks to get a store's time.

    Attributes:
        boot: the id of the boot that the steady clock belongs to.
        steady: the seconds to add to the steady clock.
        wall: the seconds to add to the wall clock.

    """

    boot: str
    steady: float
    wall: float


class Times:
    """A store's time: the Unix time at the creation of the store, advanced by a steady clock.

    After a reboot, only the wall clock knows how much time has passed. It may have been set meanwhile, so it advances
    the time by at most `most` beyond the latest time in the store.

    Args:
        clock: the steady clock in seconds.
        wall: the wall clock, a Unix time, which may be set at any moment.
        boot: the id of the current boot; may be empty.
        last: the `offsets` when the store was last open; None for a new store.
        latest: the latest time in the store.
        most: the maximum seconds after `latest` at which the time starts after a reboot.

    Attributes:
        offsets: the offsets to store for the next start.

    """

    def __init__(
        self,
        clock: Callable[[], float] = steady,
        wall: Callable[[], float] = time.time,
        *,
        boot: str = "",
        last: Offsets | None = None,
        latest: float = 0.0,
        most: float = math.inf,
    ) -> None:
        self._clock = clock
        self._wall = wall
        if last and boot and last.boot == boot:
            now = max(latest, clock() + last.steady)
        else:
            now = wall() + (last.wall if last else 0.0)
            now = max(latest, min(now, latest + most)) if latest else now
        self.offsets = Offsets(boot, now - clock(), last.wall if last else 0.0)
        self.check_wall()

    def __call__(self) -> float:
        return self._clock() + self.offsets.steady

    @property
    def wall_at_0(self) -> float:
        """The wall clock at time 0."""
        return -self.offsets.wall

    def check_wall(self) -> bool:
        """Checks the wall clock; returns whether it was set since the last check, which changes `offsets`."""
        wall = self() - self._wall()
        if abs(wall - self.offsets.wall) <= _SET_SECONDS:
            return False
        self.offsets = self.offsets._replace(wall=wall)
        return True
