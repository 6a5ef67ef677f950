"""Which file a path leads to: the one that was opened, or another one by now."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from .._errors import OpenStoreError, StoreUnavailableError

try:
    import fcntl
except ModuleNotFoundError:  # Windows does not let anybody rename or replace an open file
    fcntl = None  # type: ignore[assignment]

_BESIDE: Final = ("-wal", "-shm")
"""What SQLite has beside the file, and must be the same, too."""


class Identity:
    """Holds a file for this process alone, by whatever name others know it.

    The lock is one of the file itself and follows it when it is renamed. It is not of the kind that SQLite uses, which
    a process loses when it closes the file anywhere: so this is to be opened before SQLite's connections, and closed
    after them.

    Args:
        path: the file; it is made if it does not exist.

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
                f"{path} cannot be used ({error.strerror}): can this user write the file and its directory?"
            ) from error
        try:
            self._lock()
            self._note(path, os.fstat(self.descriptor))
            names = os.fstat(self.descriptor).st_nlink
            if names > 1:
                raise OpenStoreError(_linked(path, names))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Lets others open the file."""
        os.close(self.descriptor)

    def note_files_beside(self) -> None:
        """Notes which files SQLite has beside this one, now that it has opened them."""
        for suffix in _BESIDE:
            path = self._path.with_name(self._path.name + suffix)
            if path.exists():
                self._note(path, path.stat())

    def check(self) -> None:
        """Raises StoreUnavailableError if the path leads elsewhere by now: what is written would be lost."""
        for path, identity in self._opened.items():
            try:
                status = os.stat(path)  # noqa: PTH116 - at a third of the cost of Path's, before each transaction
            except OSError:
                raise StoreUnavailableError(self._elsewhere(path, "is gone")) from None
            if (status.st_dev, status.st_ino) != identity:
                raise StoreUnavailableError(self._elsewhere(path, "was replaced by another file"))
            if status.st_nlink > 1:
                raise StoreUnavailableError(_linked(path, status.st_nlink))

    def _elsewhere(self, path: str, what: str) -> str:
        name = self._path.name
        advice = (
            f"move the file that the server has open back; or stop the server, move {name}-wal and {name}-shm aside,"
            " which belong to that file, and start the server again"
            if path == str(self._path)
            else f"stop the server, which saves in {name} what it has, and start it again"
        )
        return f"{path} {what}, so that the server stores nothing: {advice}"

    def _note(self, path: Path, status: os.stat_result) -> None:
        self._opened[str(path)] = (status.st_dev, status.st_ino)

    def _lock(self) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OpenStoreError(
                f"{self._path} is open in another server, perhaps by another name: stop that one, or name another file"
            ) from None
        except OSError as error:
            raise OpenStoreError(
                f"{self._path} cannot be locked ({error.strerror}): use a file on a local disk"
            ) from error


def _linked(path: Path | str, names: int) -> str:
    return (
        f"{path} has {names} names (hard links), and under each of them SQLite would keep another log beside it: remove"
        f" all names but this one; `find / -xdev -samefile {path}` lists them"
    )
