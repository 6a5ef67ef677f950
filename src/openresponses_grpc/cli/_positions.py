"""The file of `subscribe --position-file`, which also allows the output to be truncated to the saved position."""

from __future__ import annotations

import fcntl
import os
import stat
import sys
from pathlib import Path
from typing import NamedTuple, Self

from ..position import Position


class Output(NamedTuple):
    """The file that standard output appends to.

    Attributes:
        size: size in bytes.
        device: device number.
        inode: inode number.

    """

    size: int
    device: int
    inode: int

    @classmethod
    def current(cls) -> Self | None:
        """Returns standard output if it appends to a file (`>> FILE`) that standard error does not write to."""
        found = os.fstat(sys.stdout.fileno())
        appends = fcntl.fcntl(sys.stdout.fileno(), fcntl.F_GETFL) & os.O_APPEND
        if not (appends and stat.S_ISREG(found.st_mode)) or os.path.samestat(found, os.fstat(sys.stderr.fileno())):
            return None
        return cls(found.st_size, found.st_dev, found.st_ino)

    def restore(self) -> None:
        """Truncates standard output to this size, if it is still the same file."""
        current = Output.current()
        if current and current._replace(size=self.size) == self and current.size > self.size:
            os.ftruncate(sys.stdout.fileno(), self.size)


class Saved(NamedTuple):
    """The content of a position file: the position on the first line, then one line for each other value.

    Attributes:
        position: position after the last event written.
        terminal: whether the events before it include a terminal event.
        ended: whether the stream has ended, and the end of the output is written.
        output: the output file and its size at the position. None if it cannot be truncated, or if the command exited
            normally, so that the output matches the position.

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
        """Parses the text of a position file.

        Raises:
            ValueError: the text is malformed.

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
    """A position file. It is replaced atomically: call `prepare` before the output is flushed, and `commit` after it.

    The file survives a crash of the process. Like the output, it is not synced to disk: after a power loss it may be
    older or newer than the output.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self._next = self._path.with_name(f".{self._path.name}.next")

    def read(self) -> Saved | None:
        """Returns the content of the file, or None if it does not exist.

        Raises:
            ValueError: it is not a position file.

        """
        try:
            return Saved.parse(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return None

    def prepare(self, saved: Saved) -> None:
        """Writes the next content to a temporary file."""
        self._next.write_text(str(saved), "utf-8")

    def commit(self) -> None:
        """Replaces the file with the prepared content."""
        self._next.replace(self._path)

    def save(self, saved: Saved) -> None:
        """Replaces the content of the file."""
        self.prepare(saved)
        self.commit()
