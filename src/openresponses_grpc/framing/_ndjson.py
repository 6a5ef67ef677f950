"""NDJSON: one event a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NoReturn

from ..codec._bridge import json_to_protobuf, protobuf_to_json
from ..codec._parsing import as_bytes
from ..errors import EventError, InvalidJSONError
from ._detect import Body, is_sse, of_ndjson
from ._interface import ErrorHandler, JSONDecoder, JSONEncoder, explained
from ._lines import Lines


class NDJSONReader:
    """Reads one event a line. Lines end with LF or CR LF. Empty lines and a leading byte order mark are skipped."""

    done: Final = False

    def __init__(self, decode: JSONDecoder = json_to_protobuf) -> None:
        self.on_error: ErrorHandler | None = None
        self._decode = decode
        self._lines = Lines()
        self._body: Body | None = None  # what the input is instead, as far as it has come
        self._error = EventError("$", "")  # what was wrong with its first line

    @property
    def position(self) -> str:
        return f"line {1 if self._body else self._lines.number}"

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        lines = self._lines.split(as_bytes(chunk))
        if self._body:
            self._gather(self._body, lines)
        for line in lines:
            if line and not line.isspace():
                try:
                    event = self._decode(line)
                except EventError as error:
                    self._fault(error, line, lines)
                    continue
                yield event

    def close(self) -> Iterator[bytes]:
        yield from self.feed(b"\n")
        if self._body:
            self._end(self._body)

    def _fault(self, error: EventError, line: bytes, lines: Iterator[bytes]) -> None:
        looks_like = explained(error, of_ndjson, line)
        if self.on_error is not None:
            self.on_error(looks_like)
        elif self._lines.number == 1 and looks_like is not error and line.lstrip()[:1] in (b"{", b"[", b"<"):
            self._body, self._error = Body(line), looks_like
            self._gather(self._body, lines)
        else:
            raise looks_like from None

    def _gather(self, body: Body, lines: Iterator[bytes]) -> None:
        """Takes the lines of an error body, which may tell what went wrong, and raises when it is whole."""
        while not body.whole and (line := next(lines, None)) is not None:
            if line.startswith(b"{") or is_sse(line):
                self._end(body)
            body.add(line)
        if body.whole:
            self._end(body)

    def _end(self, body: Body) -> NoReturn:
        error, message = self._error, body.error()
        raise InvalidJSONError(error.path, f"not NDJSON: {message}") if message else error


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
