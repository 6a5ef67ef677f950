"""The room on the disk: some is kept, so that a full disk heals when streams expire."""

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
"""The reserve is at most this part of the disk."""


class DiskFullError(StoreUnavailableError):
    """There is no room; less may fit."""


class Disk:
    """Keeps a reserve on the disk: a part of the write-ahead log that exists from the beginning.

    To delete streams takes room in the log, which needs no room on the disk while the reserve lasts. The log begins
    anew when all of it is in the file. That needs no room either: a transaction by which the file grows takes the room
    in the file before its commit. The file does not grow any more when the disk has little room left; streams are still
    appended to where others were deleted.

    Args:
        path: the store's file.
        descriptor: the same, open for writing. SQLite would lose its locks if it were opened and closed for this.
        writer: the connection that writes, in the mode WAL.

    Attributes:
        reserve: its bytes.

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
        # Half of it for the log, the other half for what is written before the log can begin anew.
        writer.execute(f"PRAGMA wal_autocheckpoint = {self.reserve // 2 // self._page_size}")
        writer.execute(f"PRAGMA journal_size_limit = {self.reserve}")

    def keep_reserve(self) -> None:
        """Takes the room for the reserve, if it has not been taken and there is enough for it."""
        if sys.platform != "linux":
            return
        with suppress(OSError), self._log.open("r+b") as log:  # another time, perhaps
            if os.fstat(log.fileno()).st_size < self.reserve < self._free() // 2:
                os.posix_fallocate(log.fileno(), 0, self.reserve)

    def is_low(self, size: int = 0) -> bool:
        """Whether the file is not to grow, if `size` bytes were to be written."""
        return self._free() < 2 * (size + self.reserve)  # once into the log and once into the file

    def admit(self, size: int) -> bool:
        """Whether the file may grow for `size` bytes; raises DiskFullError if there is no room for them either way."""
        if not self.is_low(size):
            return True
        (unused,) = self._writer.execute("PRAGMA freelist_count").fetchone()
        if self.checkpoint() and size <= unused * self._page_size and size <= self._log.stat().st_size + self._free():
            return False
        raise self._full()

    def pages(self) -> int:
        """The pages of the file, with those of the transaction."""
        (pages,) = self._writer.execute("PRAGMA page_count").fetchone()
        assert isinstance(pages, int)
        return pages

    def take_room(self, before: int, *, may_grow: bool) -> None:
        """Takes room in the file for the pages by which it grows in a transaction, before the commit.

        Args:
            before: the pages before the transaction.
            may_grow: whether it may have more.

        Raises:
            DiskFullError: there is no room, or it may not grow.

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
            f"the disk of {self._path} is full: it has {self._free()} bytes left, and the server keeps"
            f" {2 * self.reserve} of them to delete streams with. Make room on it; or there will be when streams expire"
        )

    def checkpoint(self) -> bool:
        """Moves the log into the file; returns whether all of it, so that the log begins anew."""
        _, logged, moved = self._writer.execute("PRAGMA wal_checkpoint").fetchone()
        return bool(logged == moved)

    def _free(self) -> int:
        if sys.platform == "win32":
            return shutil.disk_usage(self._folder).free
        disk = os.statvfs(self._folder)  # the same, at a third of the cost
        return disk.f_bavail * disk.f_frsize
