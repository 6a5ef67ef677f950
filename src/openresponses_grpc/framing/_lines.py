"""Lines, the units of NDJSON and SSE."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import InvalidJSONError
from ._detect import BOM, of_opening


class Lines:
    """Cuts chunks into lines that end with LF. A byte order mark at the beginning is left out.

    Attributes:
        number: the number of the line that was cut off last, from 1.
        refused: whether the input is no text.
    """

    def __init__(self) -> None:
        self.number = 0
        self.refused = False
        self._rest = bytearray()
        self._opened = False  # past the bytes that tell what the input is

    def split(self, chunk: bytes) -> Iterator[bytes]:
        """Yields the lines that end in this chunk, without their LF; raises InvalidJSONError if it is no text."""
        if not self._opened:
            chunk = self._open(chunk, 4)
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
        rest = bytes(self._rest) if self._opened else self._open(b"", 0)
        self.number += 1
        return rest

    def _open(self, chunk: bytes, wanted: int) -> bytes:
        """The input so far without its byte order mark, as soon as there is what tells if it is text."""
        data = bytes(self._rest) + chunk
        start = data.partition(b"\n")[0][:4]
        if len(start) < wanted and b"\n" not in data:
            self._rest[:] = data
            return b""
        if looks := of_opening(start):
            self.number, self.refused = 1, True
            raise InvalidJSONError("$", f"not text: {looks}")
        self._opened = True
        self._rest.clear()
        return data.removeprefix(BOM)
