"""The time of a store: it passes evenly, whatever the wall clock is set to."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

_SET_SECONDS: Final = 1.0
"""A wall clock that differs by more from what it should be has been set; by less, it was adjusted."""


def steady() -> float:
    """Seconds since the machine was started, also those it slept; nobody can set it."""
    # Only Linux has a clock that counts them; elsewhere a store stands still while the machine sleeps.
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def boot_id() -> str:
    """Names this run of the machine's kernel; empty where the system has no name for it."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


class Offsets(NamedTuple):
    """What two clocks are behind a store's time, in seconds: what to add to them.

    Attributes:
        boot: the run of the kernel whose steady clock it was.
        steady: of the steady clock.
        wall: of the wall clock.

    """

    boot: str
    steady: float
    wall: float


class Times:
    """A store's time, in seconds since 1970 by the wall clock at the store's beginning.

    It passes as the steady clock does. After a restart of the machine only the wall clock knows how much has passed.
    It counts for `most` at most, as somebody may have set it meanwhile.

    Args:
        clock: seconds from any point on, which nobody can set.
        wall: seconds since 1970, which can be set at any moment.
        boot: names the run of the kernel; empty where it has no name.
        last: what `offsets` were when the store was last open; None for a new one.
        latest: the latest time in the store.
        most: seconds after it at which the time begins at most, where the wall clock counts.

    Attributes:
        offsets: what to keep for the next start.

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
        self.look()

    def __call__(self) -> float:
        return self._clock() + self.offsets.steady

    @property
    def at_0(self) -> float:
        """What the wall clock shows when this time is 0."""
        return -self.offsets.wall

    def look(self) -> bool:
        """Looks at the wall clock; returns whether it was set since, so that `offsets` are others now."""
        wall = self() - self._wall()
        if abs(wall - self.offsets.wall) <= _SET_SECONDS:
            return False
        self.offsets = self.offsets._replace(wall=wall)
        return True
