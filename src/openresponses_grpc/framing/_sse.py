"""Server-sent events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

import msgspec

from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from ..codec._bridge import event_type, json_to_protobuf, protobuf_to_json
from ..codec._encode import EXTRA_TAG
from ..codec._parsing import as_bytes
from ..errors import EventError, InvalidJSONError
from ._detect import BOM, JOINED, PROTOBUF, Body, detect_in_sse_data, excerpt, is_sse
from ._interface import ErrorHandler, JSONDecoder, JSONEncoder, explain
from ._lines import Lines

_DONE: Final = b"[DONE]"
DONE: Final = b"data: %b\n\n" % _DONE
"""The end of a complete stream."""

_TYPE: Final = b'{"type":"'
_BRACE: Final = ord("}")

_encode: Final = partial(protobuf_to_json, naming="snake_case")


class _Typed(msgspec.Struct):
    type: str


_decode_type: Final = msgspec.json.Decoder(_Typed).decode


class SSEReader:
    """Reads server-sent events (WHATWG HTML, section 9.2.6), as OpenRouter's and OpenAI's APIs stream them.

    The `data` lines hold the event's JSON. The event name becomes the type of an event whose JSON has none. The reader
    skips `id`, `retry`, comments and `data: [DONE]`.

    A browser silently drops a truncated last event and lines that are not server-sent events, such as an error body,
    and replaces invalid UTF-8. This reader raises an error instead, also for an input without any event, so that no
    data is lost silently.

    Args:
        decode: converts the JSON of an event.

    Attributes:
        done: whether the reader has seen `data: [DONE]`.

    """

    def __init__(self, decode: JSONDecoder = json_to_protobuf) -> None:
        self.done = False
        self.on_error: ErrorHandler | None = None
        self._decode = decode
        self._lines = Lines()
        self._handle_line = self._read
        self._at = 0  # line number of the position
        self._after_cr = False  # the previous chunk ended with CR: skip an LF at the start of the next one
        self._data: list[bytes] = []
        self._name = ""
        self._empty = True  # no event and no error so far
        self._first: tuple[int, bytes] | None = None  # number and text of the first line that is not data
        self._body: Body | None = None

    @property
    def position(self) -> str:
        return f"line {1 if self._lines.rejected else self._at}"

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        chunk = as_bytes(chunk)
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        for line in self._lines.split(chunk):
            yield from self._handle_line(line)

    def close(self) -> Iterator[bytes]:
        if line := self._lines.rest():
            yield from self._handle_line(line)
        if self._body is not None:
            self._end_body()
        if self._data and not _is_done(b"\n".join(self._data)):
            problem = "the input ends within an event: the blank line after its data is missing"
            self._handle_error(InvalidJSONError("$", problem))
        elif self._data:
            self.done = True
        elif self._first and self._empty and not self.done:
            self._at, line = self._first
            text = excerpt(line.decode(errors="replace"))
            raise InvalidJSONError("$", f"the input contains no server-sent events; it starts with {text!r}")

    def _read(self, line: bytes) -> Iterator[bytes]:
        if line:
            field, _, value = line.partition(b":")
            if field == b"data":
                if not self._data:
                    self._at = self._lines.number
                self._data.append(value.removeprefix(b" "))
            elif field == b"event":
                self._name = value.removeprefix(b" ").decode(errors="replace")
                self._first = self._first or (self._lines.number, line)
            else:
                self._read_other(line)
            return
        data, self._data = b"\n".join(self._data), []
        name, self._name = self._name or None, ""
        if not data:
            return
        if data[-1] != _BRACE and _is_done(data):
            self.done = True
            return
        self._empty = False
        try:
            event = self._decode(data, sse_type=name)
        except EventError as error:
            self._handle_error(_explain_event(error, data, name))
            return
        yield event

    def _read_other(self, line: bytes) -> None:
        """Handles a comment, an ignored field, or a line that is not SSE."""
        self._first = self._first or (self._lines.number, line)
        start = line.lstrip()[:1]
        if start in (b"{", b"[", b"<"):
            self._at = self._lines.number
            self._body = Body(line)
            self._handle_line = self._read_body
            if self._body.complete:
                self._end_body()
        elif line.startswith(BOM):
            self._at = self._lines.number
            self._handle_error(InvalidJSONError("$", JOINED))
        elif line.startswith(b"\0") or not _is_utf8(line):
            self._at = self._lines.number
            self._handle_error(InvalidJSONError("$", f"not UTF-8 text; {PROTOBUF}"))

    def _read_body(self, line: bytes) -> Iterator[bytes]:
        assert self._body is not None
        if is_sse(line):
            self._end_body()
            yield from self._read(line)
            return
        self._body.add(line)
        if self._body.complete:
            self._end_body()

    def _end_body(self) -> None:
        body, self._body = self._body, None
        self._handle_line = self._read
        assert body is not None
        self._handle_error(InvalidJSONError("$", f"not server-sent events: {body.problem()}"))

    def _handle_error(self, error: EventError) -> None:
        self._empty = False
        if self.on_error is None:
            raise error from None
        self.on_error(error)


def _explain_event(error: EventError, data: bytes, name: str | None) -> EventError:
    """Extends an error with an excerpt of the event's data, such as the plain text of an `event: error`."""
    if not isinstance(error, InvalidJSONError) or data.lstrip().startswith((b"{", b"[")):
        return explain(error, detect_in_sse_data, data)
    what = f"the data of event {name!r}" if name else "the data"
    return InvalidJSONError(error.path, f"{error.problem}; {what}: {excerpt(data.decode(errors='replace'))}")


def _is_done(data: bytes) -> bool:
    """Returns whether the data is `[DONE]`, also in quotes or with surrounding white space."""
    return data.strip().strip(b"\"'").strip() == _DONE


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


class SSEWriter:
    """Writes server-sent events: `event` with the type, `data` with the JSON. `close` returns `data: [DONE]`.

    Args:
        encode: converts an event to JSON; by default in snake_case.

    """

    def __init__(self, encode: JSONEncoder = _encode) -> None:
        self._encode = encode

    def write(self, events: Iterable[bytes]) -> Iterator[bytes]:
        for event in events:
            data = self._encode(event)
            yield b"%bdata: %b\n\n" % (event_line(event, data), data)

    def close(self) -> bytes:
        return DONE


def event_line(event: bytes, data: bytes) -> bytes:
    """Returns the `event` line of an event; empty if the event has no type.

    Args:
        event: the serialized event.
        data: the event's JSON.

    """
    if data.startswith(_TYPE) and not event.startswith(EXTRA_TAG):
        # For nearly all events, the type comes first and has no escapes. Parsing the JSON would double the time.
        return b"event: %b\n" % data[len(_TYPE) : data.index(b'"', len(_TYPE))]
    name = _type_of(data) or event_type(OpenResponsesStreamEvent.FromString(event))
    # An SSE field cannot contain line ends.
    return f"event: {name}\n".encode() if name and "\n" not in name and "\r" not in name else b""


def _type_of(data: bytes) -> str | None:
    try:
        return _decode_type(data).type
    except msgspec.DecodeError:
        return None
