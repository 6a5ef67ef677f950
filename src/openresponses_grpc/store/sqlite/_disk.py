"""Disk space: a reserve lets the store recover from a full disk when streams expire."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from .._errors import StoreUnavailableError

_LARGEST_RESERVE: Final = 8 << 20
_SMALLEST_RESERVE: Final = 256 << 10

_SHARE: Final = 16
"""The reserve is at most 1/16 of the disk."""


class DiskFullError(StoreUnavailableError):
    """The disk is full; a smaller write may fit."""


class Disk:
    """Keeps a reserve of disk space: preallocated space in the write-ahead log.

    Deleting streams writes to the log, which takes no disk space while the reserve lasts. The log restarts once a
    checkpoint has moved all of it into the file, which takes disk space only if the file grows. So when the disk is
    nearly full, the file stops growing; appends reuse the space of deleted streams.

    Args:
        path: the store's file.
        writer: the writing connection, in WAL mode.

    Attributes:
        reserve: the bytes of the reserve.

    """

    def __init__(self, path: Path, writer: sqlite3.Connection) -> None:
        self._path = path
        self._folder = str(path.parent)
        self._log = path.with_name(f"{path.name}-wal")
        self._writer = writer
        (self._page_size,) = writer.execute("PRAGMA page_size").fetchone()
        share = shutil.disk_usage(path.parent).total // _SHARE
        self.reserve = max(_SMALLEST_RESERVE, min(_LARGEST_RESERVE, share))
        # Half of it for the log, the other half for writes before the log restarts.
        writer.execute(f"PRAGMA wal_autocheckpoint = {self.reserve // 2 // self._page_size}")
        writer.execute(f"PRAGMA journal_size_limit = {self.reserve}")

    def keep_reserve(self) -> None:
        """Allocates the reserve, unless it is allocated or the disk has too little space."""
        if sys.platform != "linux":
            return
        with suppress(OSError), self._log.open("r+b") as log:  # the next call tries again
            if os.fstat(log.fileno()).st_size < self.reserve < self._free() // 2:
                os.posix_fallocate(log.fileno(), 0, self.reserve)

    def is_low(self, size: int = 0) -> bool:
        """Whether the disk has too little space for the file to grow by `size` bytes."""
        return self._free() < 2 * (size + self.reserve)  # once into the log and once into the file

    def admit(self, size: int) -> None:
        """Raises DiskFullError if `size` bytes do not fit."""
        if not self.is_low(size):
            return
        free = self._free()
        (unused,) = self._writer.execute("PRAGMA freelist_count").fetchone()
        if self.checkpoint() and size <= unused * self._page_size and size <= self._log.stat().st_size + free:
            return
        raise DiskFullError(
            f"the disk of {self._path} is full: {free} bytes are free, and the server reserves {2 * self.reserve} to"
            " delete streams. Free disk space, or wait until streams expire"
        )

    def checkpoint(self) -> bool:
        """Moves the log into the file; returns whether all of it was moved, so that the log restarts."""
        _, logged, moved = self._writer.execute("PRAGMA wal_checkpoint").fetchone()
        return bool(logged == moved)

    def _free(self) -> int:
        if sys.platform == "win32":
            return shutil.disk_usage(self._folder).free
        disk = os.statvfs(self._folder)  # the same, at a third of the cost
        return disk.f_bavail * disk.f_frsize
