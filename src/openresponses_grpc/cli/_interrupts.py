"""Waits for input so that signals always interrupt the wait."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO


@contextmanager
def readiness(file: BinaryIO) -> Iterator[Callable[[], object]]:
    """Yields a function that waits until a file is readable. Main thread only.

    Python handles signals before and after a blocking read. If a signal arrives between the check and the read, Ctrl-C
    has no effect until the next input. Here each signal writes a byte to a pipe, which ends the wait.
    """
    descriptor = _descriptor(file)
    if descriptor is None:
        yield lambda: None
        return
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    previous = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    try:
        yield lambda: select.select([descriptor, woken], [], [])
    finally:
        signal.set_wakeup_fd(previous)
        os.close(woken)
        os.close(wake)


def _descriptor(file: BinaryIO) -> int | None:
    """Returns the file descriptor for `select`, or None if the file has none or the platform is not POSIX."""
    try:
        return file.fileno() if os.name == "posix" else None
    except OSError:
        return None
