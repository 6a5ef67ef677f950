"""The identity of the store's file: detects that it was deleted, replaced or linked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from .._errors import OpenStoreError, StoreUnavailableError

try:
    import fcntl
except ModuleNotFoundError:  # Windows does not allow an open file to be renamed or replaced
    fcntl = None  # type: ignore[assignment]

_SUFFIXES: Final = ("-wal", "-shm")
"""The suffixes of SQLite's companion files, whose identity matters, too."""


class Identity:
    """Locks a file for this process, under all of its names.

    The lock belongs to the file itself, and stays with it when it is renamed. It does not conflict with SQLite's locks.
    A process loses those when it closes any descriptor of the file, so this must be opened before SQLite's connections,
    and closed after them.

    Args:
        path: the file; it is created if it does not exist.

    Attributes:
        descriptor: the open file.

    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: dict[str, tuple[int, int]] = {}
        try:
            self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise OpenStoreError(
                f"{path} cannot be used ({error.strerror}): check that the server's user can write the file and its"
                " directory"
            ) from error
        try:
            self._lock()
            self._note(path, os.fstat(self.descriptor))
            links = os.fstat(self.descriptor).st_nlink
            if links > 1:
                raise OpenStoreError(_linked(path, links))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Unlocks the file."""
        os.close(self.descriptor)

    def note_companions(self) -> None:
        """Notes the identity of SQLite's companion files, after SQLite has opened them."""
        for suffix in _SUFFIXES:
            path = self._path.with_name(self._path.name + suffix)
            if path.exists():
                self._note(path, path.stat())

    def check(self) -> None:
        """Raises StoreUnavailableError if the path no longer leads to the open file: writes would be lost."""
        for path, identity in self._opened.items():
            try:
                status = os.stat(path)  # noqa: PTH116 - a third of the cost of Path's, before each transaction
            except OSError:
                raise StoreUnavailableError(self._lost(path, "is gone")) from None
            if (status.st_dev, status.st_ino) != identity:
                raise StoreUnavailableError(self._lost(path, "was replaced by another file"))
            if status.st_nlink > 1:
                raise StoreUnavailableError(_linked(path, status.st_nlink))

    def _lost(self, path: str, what: str) -> str:
        name = self._path.name
        advice = (
            f"move the original file back; or stop the server, move its {name}-wal and {name}-shm away, and start it"
            " again"
            if path == str(self._path)
            else f"stop the server, which saves its data in {name}, and start it again"
        )
        return f"{path} {what}, and the server refuses writes: {advice}"

    def _note(self, path: Path, status: os.stat_result) -> None:
        self._opened[str(path)] = (status.st_dev, status.st_ino)

    def _lock(self) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OpenStoreError(
                f"{self._path} is open in another server, maybe under another name: stop that server, or use another"
                " file"
            ) from None
        except OSError as error:
            raise OpenStoreError(
                f"{self._path} cannot be locked ({error.strerror}): use a file on a local disk"
            ) from error


def _linked(path: Path | str, links: int) -> str:
    return (
        f"{path} has {links} hard links, and SQLite would keep a separate write-ahead log for each: remove all but this"
        f" one; `find / -xdev -samefile {path}` lists them"
    )
