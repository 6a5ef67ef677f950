"""Server-sent events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from openresponses.v1.events_pb2 import OpenResponsesStreamEvent

from ..bridge import event_type_of, from_json, to_json
from ..codec import Naming
from ..errors import InvalidJSONError
from .lines import Lines, one_line

_DONE: Final = b"[DONE]"


class SSEReader:
    """Server-sent events, by the WHATWG's rules (HTML, 9.2.6), as OpenRouter's and OpenAI's APIs stream them.

    The event is what the `data` lines hold; its type is in there, so that `event`, `id` and `retry` say nothing more.
    Comments and `data: [DONE]` are no events. Where the rules let a browser drop an event that the end of the input
    cuts off, and replace bytes that are no UTF-8, this reader raises: it is there to lose nothing.
    """

    def __init__(self, naming: Naming = "snake_case", strict: bool = False) -> None:
        self.position = "line 0"
        self._naming: Naming = naming
        self._strict = strict
        self._lines = Lines()
        self._begun = False  # past the place of a byte order mark
        self._after_cr = False  # an LF that comes next belongs to the CR before it
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[OpenResponsesStreamEvent]:
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        for line in self._lines.split(self._lines.block(chunk)):
            yield from self._read(line)

    def close(self) -> Iterator[OpenResponsesStreamEvent]:
        if line := self._lines.rest():
            yield from self._read(line)
        if self._data and self._data != [_DONE]:
            raise InvalidJSONError("$", "the input ends within an event: no empty line ends it")

    def _read(self, line: bytes) -> Iterator[OpenResponsesStreamEvent]:
        if not self._begun:
            self._begun = True
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line:
            field, _, value = line.partition(b":")
            if field == b"data":
                if not self._data:
                    self.position = f"line {self._lines.number}"
                self._data.append(value.removeprefix(b" "))
        elif self._data:
            data = b"\n".join(self._data)
            self._data = []
            if data and data != _DONE:
                yield from_json(data, naming=self._naming, strict=self._strict)


class SSEWriter:
    """Server-sent events: `event` with the type, `data` with the JSON, and at the end `data: [DONE]`."""

    def __init__(self, naming: Naming = "snake_case") -> None:
        self._naming: Naming = naming

    def write(self, events: Iterable[OpenResponsesStreamEvent]) -> Iterator[bytes]:
        for event in events:
            data = one_line(to_json(event, naming=self._naming))
            type_name = event_type_of(event).encode()
            # A type with a line break can stand in JSON only; without `event` readers find it there.
            name = b"" if b"\n" in type_name or b"\r" in type_name else b"event: %b\n" % type_name
            yield b"%bdata: %b\n\n" % (name, data)

    def close(self) -> bytes:
        return b"data: %b\n\n" % _DONE
