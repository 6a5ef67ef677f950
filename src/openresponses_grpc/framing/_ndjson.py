"""NDJSON: one event per line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NoReturn

from ..codec._bridge import json_to_protobuf, protobuf_to_json
from ..codec._parsing import as_bytes
from ..errors import EventError, InvalidJSONError
from ._detect import Body, detect_in_ndjson, is_sse
from ._interface import ErrorHandler, JSONDecoder, JSONEncoder, explain
from ._lines import Lines


class NDJSONReader:
    """Reads one event per line. Lines end with LF or CR LF. Skips blank lines and a leading byte order mark.

    Args:
        decode: converts the JSON of an event.

    """

    done: Final = False

    def __init__(self, decode: JSONDecoder = json_to_protobuf) -> None:
        self.on_error: ErrorHandler | None = None
        self._decode = decode
        self._lines = Lines()
        self._body: Body | None = None  # the input so far, if it is not NDJSON
        self._error = EventError("$", "")  # the error of its first line

    @property
    def position(self) -> str:
        return f"line {1 if self._body else self._lines.number}"

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        lines = self._lines.split(as_bytes(chunk))
        if self._body:
            self._collect(self._body, lines)
        for line in lines:
            if line and not line.isspace():
                try:
                    event = self._decode(line)
                except EventError as error:
                    self._handle_error(error, line, lines)
                    continue
                yield event

    def close(self) -> Iterator[bytes]:
        yield from self.feed(b"\n")
        if self._body:
            self._raise_error(self._body)

    def _handle_error(self, error: EventError, line: bytes, lines: Iterator[bytes]) -> None:
        explained = explain(error, detect_in_ndjson, line)
        if self.on_error is not None:
            self.on_error(explained)
        elif self._lines.number == 1 and explained is not error and line.lstrip()[:1] in (b"{", b"[", b"<"):
            self._body, self._error = Body(line), explained
            self._collect(self._body, lines)
        else:
            raise explained from None

    def _collect(self, body: Body, lines: Iterator[bytes]) -> None:
        """Collects the lines of a body, whose message may explain the error. Raises once it is complete."""
        while not body.complete and (line := next(lines, None)) is not None:
            if line.startswith(b"{") or is_sse(line):
                self._raise_error(body)
            body.add(line)
        if body.complete:
            self._raise_error(body)

    def _raise_error(self, body: Body) -> NoReturn:
        error, message = self._error, body.error()
        raise InvalidJSONError(error.path, f"not NDJSON: {message}") if message else error


class NDJSONWriter:
    """Writes one event per line.

    Args:
        encode: converts an event to JSON; by default in camelCase.

    """

    def __init__(self, encode: JSONEncoder = protobuf_to_json) -> None:
        self._encode = encode

    def write(self, events: Iterable[bytes]) -> Iterator[bytes]:
        lines = []
        try:
            for event in events:
                lines.append(self._encode(event))  # noqa: PERF401 - keeps the lines before an error
        finally:
            if lines:
                yield b"\n".join(lines) + b"\n"

    def close(self) -> bytes:
        return b""
