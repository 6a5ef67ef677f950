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

    def block(self, chunk: bytes) -> bytes:
        """The lines that end in this chunk, with their LF."""
        end = chunk.rfind(b"\n") + 1
        if not end:
            self._rest += chunk
            return b""
        block = bytes(self._rest) + chunk[:end]
        self._rest = bytearray(chunk[end:])
        return block

    def split(self, block: bytes) -> Iterator[bytes]:
        """Yields the lines of a block, without their LF."""
        for line in block.split(b"\n")[:-1]:
            self.number += 1
            yield line

    def rest(self) -> bytes:
        """What the last LF is followed by."""
        self.number += 1
        return bytes(self._rest)


def one_line(text: bytes) -> bytes:
    """JSON without line breaks: outside of strings they are white space, and within strings there are none."""
    return text.replace(b"\r", b" ").replace(b"\n", b" ") if b"\n" in text or b"\r" in text else text
