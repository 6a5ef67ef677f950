"""Writes standard output together with its position file."""

from __future__ import annotations

import sys

from ..position import Position
from ._positions import Output, PositionFile, Saved


class Sink:
    """Writes to standard output, and saves the position after each write.

    If standard output appends to a file, the position file also holds the size of that file. If the process is killed
    between writing the output and saving the position, the next command truncates the output to the saved position.

    Args:
        file: the position file; None saves no position.

    Attributes:
        saved: content of the position file at the start; None without a file.

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
        """Writes and flushes output, and saves the position.

        Args:
            data: the output; may be empty.
            saved: new content of the position file, without `output`.
            before: position before the output.
            more: whether more output follows immediately; it is then flushed and saved together with this one.

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
        """Writes pending output, and records in the position file that the output matches the position."""
        self._flush()
        if self._file and self._last:
            self._file.save(self._last)
