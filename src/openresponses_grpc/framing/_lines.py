"""Splits input into lines, for NDJSON and SSE."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import InvalidJSONError
from ._detect import BOM, detect_non_text


class Lines:
    """Splits chunks into lines that end with LF. Skips a leading byte order mark.

    Attributes:
        number: number of the last line, from 1.
        rejected: whether the input is not text.

    """

    def __init__(self) -> None:
        self.number = 0
        self.rejected = False
        self._rest = bytearray()
        self._checked = False  # whether the start of the input is text

    def split(self, chunk: bytes) -> Iterator[bytes]:
        """Yields the lines that end in a chunk, without LF; raises InvalidJSONError if the input is not text."""
        if not self._checked:
            chunk = self._check_start(chunk, 4)
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
        """Returns the bytes after the last LF."""
        rest = bytes(self._rest) if self._checked else self._check_start(b"", 0)
        self.number += 1
        return rest

    def _check_start(self, chunk: bytes, wanted: int) -> bytes:
        """Buffers input until it can be checked. Then returns it without its byte order mark."""
        data = bytes(self._rest) + chunk
        start = data.partition(b"\n")[0][:4]
        if len(start) < wanted and b"\n" not in data:
            self._rest[:] = data
            return b""
        if found := detect_non_text(start):
            self.number, self.rejected = 1, True
            raise InvalidJSONError("$", f"not text: {found}")
        self._checked = True
        self._rest.clear()
        return data.removeprefix(BOM)
