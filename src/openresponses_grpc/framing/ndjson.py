"""NDJSON: one event a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..bridge import json_to_protobuf, protobuf_to_json
from .interface import JSONDecoder, JSONEncoder
from .lines import Lines


class NDJSONReader:
    """Reads one event a line. Lines end with LF or CR LF; empty lines are skipped."""

    def __init__(self, decode: JSONDecoder = json_to_protobuf) -> None:
        self._decode = decode
        self._lines = Lines()

    @property
    def position(self) -> str:
        return f"line {self._lines.number}"

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        for line in self._lines.split(chunk):
            if line and not line.isspace():
                yield self._decode(line)

    def close(self) -> Iterator[bytes]:
        yield from self.feed(b"\n")


class NDJSONWriter:
    """Writes one event a line, in camelCase."""

    def __init__(self, encode: JSONEncoder = protobuf_to_json) -> None:
        self._encode = encode

    def write(self, events: Iterable[bytes]) -> Iterator[bytes]:
        lines = []
        try:
            for event in events:
                lines.append(self._encode(event))  # noqa: PERF401 - an error leaves the lines before it
        finally:
            if lines:
                yield b"\n".join(lines) + b"\n"

    def close(self) -> bytes:
        return b""
