"""Standard output, and the position file that follows it."""

from __future__ import annotations

import sys

from ..position import Position
from .positions import Output, PositionFile, Saved


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

    def write(self, data: bytes, saved: Saved, *, before: Position) -> None:
        """Writes and flushes, then saves.

        Args:
            data: the output; may be empty.
            saved: what the position file is to hold, without the output.
            before: the position before the output.

        """
        if self._file:
            output = Output.current()
            if self._last is None:
                self._file.save((self.saved or Saved(before))._replace(output=output))
            after = output and output._replace(size=output.size + len(data))
            self._file.prepare(saved._replace(output=after))
        if data:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        if self._file:
            self._file.commit()
        self._last = saved

    def close(self) -> None:
        """Notes in the position file that the output goes exactly up to its position."""
        if self._file and self._last:
            self._file.save(self._last)
