"""Lines, the units of NDJSON and SSE."""

from __future__ import annotations

from collections.abc import Iterator


class Lines:
    """Cuts chunks into lines that end with LF.

    Attributes:
        number: the number of the line that was cut off last, from 1.
    """

    def __init__(self) -> None:
        self.number = 0
        self._rest = bytearray()

    def split(self, chunk: bytes) -> Iterator[bytes]:
        """Yields the lines that end in this chunk, without their LF."""
        end = chunk.rfind(b"\n")
        if end < 0:
            self._rest += chunk
            return
        lines = (self._rest + chunk[:end] if self._rest else chunk[:end]).split(b"\n")
        self._rest = bytearray(chunk[end + 1 :])
        for line in lines:
            self.number += 1
            yield bytes(line)

    def rest(self) -> bytes:
        """The bytes after the last LF."""
        self.number += 1
        return bytes(self._rest)
