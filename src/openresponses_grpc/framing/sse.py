"""Server-sent events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

import msgspec

from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from ..bridge import event_type, json_to_protobuf, protobuf_to_json
from ..errors import InvalidJSONError
from .interface import JSONDecoder, JSONEncoder
from .lines import Lines

_DONE: Final = b"[DONE]"

_encode: Final = partial(protobuf_to_json, naming="snake_case")


class _Typed(msgspec.Struct):
    type: str


_decode_type: Final = msgspec.json.Decoder(_Typed).decode


class SSEReader:
    """Reads server-sent events, by the WHATWG's rules (HTML, 9.2.6), as OpenRouter's and OpenAI's APIs stream them.

    An event is the JSON in its `data` lines. The event name is the type of an event whose JSON has none. `id`,
    `retry`, comments and `data: [DONE]` are skipped. A browser drops an event that the end of the input cuts off, and
    replaces invalid UTF-8. This reader raises an error instead, so that nothing is lost.
    """

    def __init__(self, decode: JSONDecoder = json_to_protobuf) -> None:
        self.position = "line 0"
        self._decode = decode
        self._lines = Lines()
        self._begun = False  # past the place of a byte order mark
        self._after_cr = False  # an LF that comes next belongs to the CR before it
        self._data: list[bytes] = []
        self._name = ""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        for line in self._lines.split(chunk):
            yield from self._read(line)

    def close(self) -> Iterator[bytes]:
        if line := self._lines.rest():
            yield from self._read(line)
        if self._data and b"\n".join(self._data).strip() != _DONE:
            raise InvalidJSONError("$", "the input ends within an event: the empty line after its data is missing")

    def _read(self, line: bytes) -> Iterator[bytes]:
        if not self._begun:
            self._begun = True
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line:
            field, _, value = line.partition(b":")
            if field == b"data":
                if not self._data:
                    self.position = f"line {self._lines.number}"
                self._data.append(value.removeprefix(b" "))
            elif field == b"event":
                self._name = value.removeprefix(b" ").decode(errors="replace")
            return
        data, self._data = b"\n".join(self._data), []
        name, self._name = self._name or None, ""
        if data and data.strip() != _DONE:
            yield self._decode(data, sse_type=name)


class SSEWriter:
    """Writes server-sent events, in snake_case: `event` with the type, `data` with the JSON; finally `data: [DONE]`."""

    def __init__(self, encode: JSONEncoder = _encode) -> None:
        self._encode = encode

    def write(self, events: Iterable[bytes]) -> Iterator[bytes]:
        for event in events:
            data = self._encode(event)
            name = _type_of(data) or event_type(OpenResponsesStreamEvent.FromString(event))
            # A type with a line end fits into JSON only.
            line = f"event: {name}\n" if name and "\n" not in name and "\r" not in name else ""
            yield b"%bdata: %b\n\n" % (line.encode(), data)

    def close(self) -> bytes:
        return b"data: %b\n\n" % _DONE


def _type_of(data: bytes) -> str | None:
    try:
        return _decode_type(data).type
    except msgspec.DecodeError:
        return None
