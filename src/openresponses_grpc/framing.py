"""Streams of events as bytes: NDJSON, SSE and length-delimited protobuf, in chunks cut anywhere. Pure: no I/O.

A reader holds the bytes of one event at a time, and hands each event out as soon as its last byte is there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple, Protocol

import msgspec
from google.protobuf.message import DecodeError

from openresponses.v1.events_pb2 import OpenResponsesStreamEvent

from .bridge import event_type_of, from_json, to_encodable, to_json
from .codec import Naming, contract
from .errors import InvalidJSONError, InvalidProtobufError

_DONE: Final = b"[DONE]"
_encode_lines = msgspec.json.Encoder().encode_lines

MAX_PROTOBUF_BYTES: Final = 2**31 - 1
"""The largest message that protobuf allows."""


class EventReader(Protocol):
    """Reads events from chunks of bytes."""

    @property
    def position(self) -> str:
        """Where the event stands that was read last, or the bytes that are none: `line 3`."""

    def feed(self, chunk: bytes) -> Iterator[OpenResponsesStreamEvent]:
        """Yields the events that end in this chunk; it is to be exhausted before the next one.

        Raises:
            EventError: bytes that are no event. The reader is of no use after it.

        """

    def close(self) -> Iterator[OpenResponsesStreamEvent]:
        """Yields what the end of the input completes; raises EventError when the input ends within an event."""


class EventWriter(Protocol):
    """Writes events as bytes."""

    def write(self, events: Iterable[OpenResponsesStreamEvent]) -> Iterator[bytes]:
        """Yields the bytes of the events.

        Where an event has no such form, or where reading the events raises, what comes before it is yielded first.

        Raises:
            IncompleteEventError: an event that has no such form.
        """

    def close(self) -> bytes:
        """The bytes that end the stream."""


class NDJSONReader:
    """One event a line; lines end with LF or CR LF, and empty ones are passed over."""

    def __init__(self, naming: Naming = "camelCase", strict: bool = False) -> None:
        self._naming: Naming = naming
        self._strict = strict
        self._lines = _Lines()

    @property
    def position(self) -> str:
        return f"line {self._lines.number}"

    def feed(self, chunk: bytes) -> Iterator[OpenResponsesStreamEvent]:
        for line in self._lines.split(chunk):
            if line and not line.isspace():
                yield from_json(line.removesuffix(b"\r"), naming=self._naming, strict=self._strict)

    def close(self) -> Iterator[OpenResponsesStreamEvent]:
        yield from self.feed(b"\n")


class NDJSONWriter:
    """One event a line."""

    def __init__(self, naming: Naming = "camelCase") -> None:
        self._contract = contract(naming)

    def write(self, events: Iterable[OpenResponsesStreamEvent]) -> Iterator[bytes]:
        lines: list[msgspec.Struct | msgspec.Raw] = []
        try:
            for event in events:
                line = to_encodable(event, self._contract)
                lines.append(msgspec.Raw(_one_line(bytes(line))) if isinstance(line, msgspec.Raw) else line)
        finally:
            yield _encode_lines(lines)

    def close(self) -> bytes:
        return b""


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
        self._lines = _Lines()
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
        for line in self._lines.split(chunk):
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
            data = _one_line(to_json(event, naming=self._naming))
            type_name = event_type_of(event).encode()
            # A type with a line break can stand in JSON only; without `event` readers find it there.
            name = b"" if b"\n" in type_name or b"\r" in type_name else b"event: %b\n" % type_name
            yield b"%bdata: %b\n\n" % (name, data)

    def close(self) -> bytes:
        return b"data: %b\n\n" % _DONE


class ProtobufReader:
    """Each message after its length as a varint, as protobuf's own libraries write a stream of messages."""

    def __init__(self) -> None:
        self._messages = 0
        self._buffer = bytearray()
        self._wanted = 1  # bytes in the buffer without which no message is whole

    @property
    def position(self) -> str:
        """See EventReader."""
        return f"message {self._messages}"

    def feed(self, chunk: bytes) -> Iterator[OpenResponsesStreamEvent]:
        self._buffer += chunk
        if len(self._buffer) < self._wanted:
            return
        data = bytes(self._buffer)
        at = 0
        self._wanted = 1
        while at < len(data):
            start, length = at + 1, data[at]
            if length > 0x7F:
                start, length = self._long_length(data, at)
            stop = start + length
            if stop > len(data):
                self._wanted = stop - at
                break
            self._messages += 1
            try:
                event = OpenResponsesStreamEvent.FromString(data[start:stop])
            except DecodeError as error:
                raise InvalidProtobufError("$", f"no OpenResponsesStreamEvent: {error}") from None
            yield event
            at = stop
        self._buffer = bytearray(data[at:])

    def close(self) -> Iterator[OpenResponsesStreamEvent]:
        if self._buffer:
            self._messages += 1
            raise InvalidProtobufError("$", "the input ends within a message")
        yield from ()

    def _long_length(self, data: bytes, at: int) -> tuple[int, int]:
        """Where the message begins whose length stands at `at`, and the length; 1 while the length is not whole."""
        length = 0
        for index, byte in enumerate(data[at : at + 5]):
            length |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                if length <= MAX_PROTOBUF_BYTES:
                    return at + index + 1, length
                break
        else:
            if at + 5 > len(data):
                return len(data), 1
        self._messages += 1
        raise InvalidProtobufError("$", f"no message is longer than {MAX_PROTOBUF_BYTES} bytes")


class ProtobufWriter:
    """Each message after its length as a varint."""

    def write(self, events: Iterable[OpenResponsesStreamEvent]) -> Iterator[bytes]:
        parts: list[bytes] = []
        try:
            for event in events:
                data = event.SerializeToString()
                parts += (_varint(len(data)), data)
        finally:
            yield b"".join(parts)

    def close(self) -> bytes:
        return b""


class Format(NamedTuple):
    """A format of event streams: what makes its reader (naming, strict) and its writer (naming)."""

    reader: Callable[[Naming, bool], EventReader]
    writer: Callable[[Naming], EventWriter]


FORMATS: Final[Mapping[str, Format]] = {
    "ndjson": Format(NDJSONReader, NDJSONWriter),
    "sse": Format(SSEReader, SSEWriter),
    "protobuf": Format(lambda naming, strict: ProtobufReader(), lambda naming: ProtobufWriter()),
}


def read_events(reader: EventReader, chunks: Iterable[bytes]) -> Iterator[OpenResponsesStreamEvent]:
    """Yields the events of all chunks."""
    for chunk in chunks:
        yield from reader.feed(chunk)
    yield from reader.close()


class _Lines:
    """Cuts chunks into lines that end with LF.

    Attributes:
        number: the number of the line that was cut off last, from 1.
    """

    def __init__(self) -> None:
        self.number = 0
        self._rest = bytearray()

    def split(self, chunk: bytes) -> Iterator[bytes]:
        """Yields the lines that end in this chunk, without their LF."""
        lines = chunk.split(b"\n")
        if len(lines) == 1:
            self._rest += chunk
            return
        lines[0] = bytes(self._rest + lines[0])
        self._rest = bytearray(lines.pop())
        for line in lines:
            self.number += 1
            yield line

    def rest(self) -> bytes:
        """What the last LF is followed by."""
        self.number += 1
        return bytes(self._rest)


def _one_line(text: bytes) -> bytes:
    """JSON without line breaks: outside of strings they are white space, and within strings there are none."""
    return text.replace(b"\r", b" ").replace(b"\n", b" ") if b"\n" in text or b"\r" in text else text


@functools.lru_cache(maxsize=1 << 14)
def _varint(number: int) -> bytes:
    """A whole number as protobuf writes it: seven bits a byte, the lowest first, the top bit while more follow."""
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)
    return bytes(data)
