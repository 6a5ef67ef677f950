"""The file of `subscribe --position-file`, and the end of an output that it can restore."""

from __future__ import annotations

import fcntl
import os
import stat
import sys
from pathlib import Path
from typing import NamedTuple, Self

from ..position import Position


class Output(NamedTuple):
    """A file that standard output appends to.

    Attributes:
        size: its bytes.
        device, inode: its identity.

    """

    size: int
    device: int
    inode: int

    @classmethod
    def current(cls) -> Self | None:
        """Standard output, if it is a file opened to append (`>> FILE`), and not standard error's file, too."""
        found = os.fstat(sys.stdout.fileno())
        appends = fcntl.fcntl(sys.stdout.fileno(), fcntl.F_GETFL) & os.O_APPEND
        if not (appends and stat.S_ISREG(found.st_mode)) or os.path.samestat(found, os.fstat(sys.stderr.fileno())):
            return None
        return cls(found.st_size, found.st_dev, found.st_ino)

    def restore(self) -> None:
        """Cuts off what was appended to the file since, if it is standard output still."""
        current = Output.current()
        if current and current._replace(size=self.size) == self and current.size > self.size:
            os.ftruncate(sys.stdout.fileno(), self.size)


class Saved(NamedTuple):
    """What a position file holds: the position on the first line, then a line for each other value.

    Attributes:
        position: the position after the last event written.
        terminal: whether a terminal event is before it.
        ended: whether the stream has ended there, and the end of the output is written.
        output: the output up to the position; None where it cannot be restored, or nobody was interrupted.

    """

    position: Position
    terminal: bool = False
    ended: bool = False
    output: Output | None = None

    def __str__(self) -> str:
        lines = [str(self.position)]
        lines += ["terminal"] if self.terminal else []
        lines += ["ended"] if self.ended else []
        lines += ["output {} {} {}".format(*self.output)] if self.output else []
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads the text of a position file.

        Raises:
            ValueError: it is not one.

        """
        first, *lines = text.splitlines() or [""]
        position, output = Position.parse(first), None
        for line in lines:
            name, *values = line.split()
            if name == "output" and len(values) == 3:
                output = Output(*map(int, values))
            elif line not in ("terminal", "ended"):
                raise ValueError(f"unknown line: {line!r}")
        return cls(position, "terminal" in lines, "ended" in lines, output)


class PositionFile:
    """A position file. `prepare` before the output is flushed and `commit` after it replace the file atomically.

    The file survives the process. It is not synchronized with the disk, as the output is not either: after a loss of
    power the file may be older than the output, or newer.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self._next = self._path.with_name(f".{self._path.name}.next")

    def read(self) -> Saved | None:
        """What the file holds; None if there is no file.

        Raises:
            ValueError: it is not a position file.

        """
        try:
            return Saved.parse(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return None

    def prepare(self, saved: Saved) -> None:
        """Writes the next content beside the file."""
        self._next.write_text(str(saved), "utf-8")

    def commit(self) -> None:
        """Puts the next content in the place of the file."""
        self._next.replace(self._path)

    def save(self, saved: Saved) -> None:
        """Replaces what the file holds."""
        self.prepare(saved)
        self.commit()
