"""NDJSON: one event a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from openresponses.v1.events_pb2 import OpenResponsesStreamEvent

from ..bridge import from_json, to_encodable
from ..codec import Naming, contract
from .bulk import encode_lines
from .lines import Lines, one_line


class NDJSONReader:
    """One event a line; lines end with LF or CR LF, and empty ones are passed over."""

    def __init__(self, naming: Naming = "camelCase", strict: bool = False) -> None:
        self.contract = contract(naming)
        self._naming: Naming = naming
        self._strict = strict
        self._lines = Lines()

    @property
    def position(self) -> str:
        return f"line {self._lines.number}"

    def feed(self, chunk: bytes) -> Iterator[OpenResponsesStreamEvent]:
        return self.read(self.take(chunk))

    def take(self, chunk: bytes) -> bytes:
        """The lines that end in this chunk, for `read` or for whoever reads them otherwise and calls `skip`."""
        return self._lines.block(chunk)

    def read(self, block: bytes) -> Iterator[OpenResponsesStreamEvent]:
        """Yields the events of lines."""
        for line in self._lines.split(block):
            if line and not line.isspace():
                yield from_json(line.removesuffix(b"\r"), naming=self._naming, strict=self._strict)

    def skip(self, lines: int) -> None:
        """Counts lines that were read otherwise."""
        self._lines.number += lines

    def close(self) -> Iterator[OpenResponsesStreamEvent]:
        yield from self.feed(b"\n")


class NDJSONWriter:
    """One event a line."""

    def __init__(self, naming: Naming = "camelCase") -> None:
        self.contract = contract(naming)

    def write(self, events: Iterable[OpenResponsesStreamEvent]) -> Iterator[bytes]:
        lines: list[msgspec.Struct | msgspec.Raw] = []
        try:
            for event in events:
                line = to_encodable(event, self.contract)
                lines.append(msgspec.Raw(one_line(bytes(line))) if isinstance(line, msgspec.Raw) else line)
        finally:
            if lines:
                yield encode_lines(lines)

    def close(self) -> bytes:
        return b""
