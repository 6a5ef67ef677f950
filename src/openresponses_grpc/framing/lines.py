"""Lines, which NDJSON and SSE are made of."""

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
        lines = chunk.split(b"\n")
        if len(lines) == 1:
            self._rest += chunk
            return
        lines[0] = bytes(self._rest + lines[0])
        self._rest = bytearray(lines.pop())
        for line in lines:
            self.number += 1
            yield line

    def rest(self) -> bytes:
        """What the last LF is followed by."""
        self.number += 1
        return bytes(self._rest)


def one_line(text: bytes) -> bytes:
    """JSON without line breaks: outside of strings they are white space, and within strings there are none."""
    return text.replace(b"\r", b" ").replace(b"\n", b" ") if b"\n" in text or b"\r" in text else text
