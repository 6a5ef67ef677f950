"""Disk space: a reserve lets the store recover from a full disk when streams expire."""

from __future__ import annotations

import errno
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
    checkpoint has moved all of it into the file. That takes no disk space either: a transaction that grows the file
    allocates the space in the file before it commits. When the disk is nearly full, the file stops growing; appends
    reuse the space of deleted streams.

    Args:
        path: the store's file.
        descriptor: the file, open for writing. Opening and closing it again would drop SQLite's locks.
        writer: the writing connection, in WAL mode.

    Attributes:
        reserve: the bytes of the reserve.

    """

    def __init__(self, path: Path, descriptor: int, writer: sqlite3.Connection) -> None:
        self._path = path
        self._descriptor = descriptor
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

    def admit(self, size: int) -> bool:
        """Returns whether the file may grow for `size` bytes; raises DiskFullError if they do not fit."""
        if not self.is_low(size):
            return True
        (unused,) = self._writer.execute("PRAGMA freelist_count").fetchone()
        if self.checkpoint() and size <= unused * self._page_size and size <= self._log.stat().st_size + self._free():
            return False
        raise self._full()

    def pages(self) -> int:
        """The number of pages of the file, including those that the open transaction adds."""
        (pages,) = self._writer.execute("PRAGMA page_count").fetchone()
        assert isinstance(pages, int)
        return pages

    def allocate(self, before: int, *, may_grow: bool) -> None:
        """Allocates disk space for the pages that the open transaction adds; call it before the commit.

        Args:
            before: the number of pages before the transaction.
            may_grow: whether the transaction may add pages.

        Raises:
            DiskFullError: the space cannot be allocated, or the transaction may not add pages.

        """
        grown = self.pages() - before
        if grown <= 0:
            return
        if not may_grow:
            raise self._full()
        if sys.platform != "linux":
            return
        try:
            os.posix_fallocate(self._descriptor, before * self._page_size, grown * self._page_size)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise self._full() from error
            raise

    def _full(self) -> DiskFullError:
        return DiskFullError(
            f"the disk of {self._path} is full: {self._free()} bytes are free, and the server reserves"
            f" {2 * self.reserve} to delete streams. Free disk space, or wait until streams expire"
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
