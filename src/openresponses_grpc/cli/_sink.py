"""Standard output, and the position file that follows it."""

from __future__ import annotations

import sys

from ..position import Position
from ._positions import Output, PositionFile, Saved


class Sink:
    """Writes to standard output, each time up to a position, and saves the position.

    Where standard output appends to a file, the position file also holds its size. After a kill between the output and
    the position, the next command cuts off what it is going to write again.

    Args:
        file: the position file; None for none.

    Attributes:
        saved: what the position file held at the start; None for nothing.

    Raises:
        ValueError: the file is not a position file.

    """

    def __init__(self, file: PositionFile | None) -> None:
        self._file = file
        self.saved = file.read() if file else None
        if self.saved and self.saved.output:
            self.saved.output.restore()
        self._last: Saved | None = None
        self._pending: list[bytes] = []
        self._next: Saved | None = None

    def write(self, data: bytes, saved: Saved, *, before: Position, more: bool = False) -> None:
        """Writes, flushes, and saves.

        Args:
            data: the output; may be empty.
            saved: what the position file is to hold, without the output.
            before: the position before the output.
            more: whether more output follows at once, so that one flush and one save do for all of it.

        """
        if self._file and self._last is None and self._next is None:
            self._file.save((self.saved or Saved(before))._replace(output=Output.current()))
        self._pending.append(data)
        self._next = saved
        if not more:
            self._flush()

    def _flush(self) -> None:
        if self._next is None:
            return
        data, saved = b"".join(self._pending), self._next
        self._pending, self._next = [], None
        if self._file:
            output = Output.current()
            after = output and output._replace(size=output.size + len(data))
            self._file.prepare(saved._replace(output=after))
        if data:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        if self._file:
            self._file.commit()
        self._last = saved

    def close(self) -> None:
        """Writes what is pending, and notes in the position file that the output goes exactly up to its position."""
        self._flush()
        if self._file and self._last:
            self._file.save(self._last)
