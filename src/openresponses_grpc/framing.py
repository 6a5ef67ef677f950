"""Streams of events as bytes: NDJSON and length-delimited protobuf, read from chunks cut anywhere. Pure: no I/O.

A reader holds the bytes of one event at a time, and hands each event out as soon as its last byte is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple, Protocol

from google.protobuf.message import DecodeError
from openresponses.v1.events_pb2 import OpenResponsesStreamEvent

from .bridge import from_json, to_json
from .codec import Naming
from .errors import InvalidProtobufError

MAX_PROTOBUF_BYTES: Final = 2**31 - 1
"""The largest message that protobuf allows."""


class EventReader(Protocol):
    """Reads events from chunks of bytes.

    Attributes:
        position: where the event stands that was read last, or the bytes that are none: `line 3`.

    """

    position: str

    def feed(self, chunk: bytes) -> Iterator[OpenResponsesStreamEvent]:
        """Yields the events that end in this chunk; it is to be exhausted before the next one.

        Raises:
            EventError: bytes that are no event. The reader is of no use after it.

        """

    def close(self) -> Iterator[OpenResponsesStreamEvent]:
        """Yields what the end of the input completes; raises EventError when the input ends within an event."""


class EventWriter(Protocol):
    """Writes events as bytes."""

    def write(self, event: OpenResponsesStreamEvent) -> bytes:
        """The bytes of an event; raises IncompleteEventError."""

    def close(self) -> bytes:
        """The bytes that end the stream."""


class NDJSONReader:
    """One event a line; lines end with LF or CR LF, and empty ones are passed over."""

    def __init__(self, naming: Naming = "camelCase", strict: bool = False) -> None:
        self.position = "line 0"
        self._naming: Naming = naming
        self._strict = strict
        self._line = 0
        self._rest: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[OpenResponsesStreamEvent]:
        lines = chunk.split(b"\n")
        self._rest.append(lines[0])
        if len(lines) == 1:
            return
        lines[0] = b"".join(self._rest)
        self._rest = [lines.pop()]
        for line in lines:
            yield from self._read(line)

    def close(self) -> Iterator[OpenResponsesStreamEvent]:
        line = b"".join(self._rest)
        self._rest = []
        if line:
            yield from self._read(line)

    def _read(self, line: bytes) -> Iterator[OpenResponsesStreamEvent]:
        self._line += 1
        if line and not line.isspace():
            self.position = f"line {self._line}"
            yield from_json(line.removesuffix(b"\r"), naming=self._naming, strict=self._strict)


class NDJSONWriter:
    """One event a line."""

    def __init__(self, naming: Naming = "camelCase") -> None:
        self._naming: Naming = naming

    def write(self, event: OpenResponsesStreamEvent) -> bytes:
        return one_line(to_json(event, naming=self._naming)) + b"\n"

    def close(self) -> bytes:
        return b""


class ProtobufReader:
    """Each message after its length as a varint, as protobuf's own libraries write a stream of messages."""

    def __init__(self) -> None:
        self.position = "message 0"
        self._messages = 0
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> Iterator[OpenResponsesStreamEvent]:
        self._buffer += chunk
        start = 0
        try:
            while (message := self._next(start)) is not None:
                start = message.stop
                yield self._parse(self._buffer[message.start : message.stop])
        finally:
            del self._buffer[:start]

    def close(self) -> Iterator[OpenResponsesStreamEvent]:
        if self._buffer:
            self._count()
            raise InvalidProtobufError("$", "the input ends within a message")
        yield from ()

    def _next(self, start: int) -> slice | None:
        """Where the message lies whose length stands at `start`; None when it is not there as a whole."""
        length = 0
        # A length of ten bytes has 70 bits: more would be no varint, and 32 bits are more than a message may have.
        for index, byte in enumerate(self._buffer[start : start + 10]):
            length |= (byte & 0x7F) << (7 * index)
            if length > MAX_PROTOBUF_BYTES or (byte >= 0x80 and index == 9):
                self._count()
                raise InvalidProtobufError("$", f"no message is longer than {MAX_PROTOBUF_BYTES} bytes")
            if byte < 0x80:
                start += index + 1
                return slice(start, start + length) if start + length <= len(self._buffer) else None
        return None

    def _parse(self, data: bytearray) -> OpenResponsesStreamEvent:
        self._count()
        try:
            return OpenResponsesStreamEvent.FromString(bytes(data))
        except DecodeError as error:
            raise InvalidProtobufError("$", f"no OpenResponsesStreamEvent: {error}") from None

    def _count(self) -> None:
        self._messages += 1
        self.position = f"message {self._messages}"


class ProtobufWriter:
    """Each message after its length as a varint."""

    def write(self, event: OpenResponsesStreamEvent) -> bytes:
        data = event.SerializeToString()
        return varint(len(data)) + data

    def close(self) -> bytes:
        return b""


class Format(NamedTuple):
    """A format of event streams: what makes its reader (naming, strict) and its writer (naming)."""

    reader: Callable[[Naming, bool], EventReader]
    writer: Callable[[Naming], EventWriter]


FORMATS: Final[Mapping[str, Format]] = {
    "ndjson": Format(NDJSONReader, NDJSONWriter),
    "protobuf": Format(lambda naming, strict: ProtobufReader(), lambda naming: ProtobufWriter()),
}


def read_events(reader: EventReader, chunks: Iterable[bytes]) -> Iterator[OpenResponsesStreamEvent]:
    """Yields the events of all chunks."""
    for chunk in chunks:
        yield from reader.feed(chunk)
    yield from reader.close()


def one_line(text: bytes) -> bytes:
    """JSON without line breaks: outside of strings they are white space, and within strings there are none."""
    return text.replace(b"\r", b" ").replace(b"\n", b" ") if b"\n" in text or b"\r" in text else text


def varint(number: int) -> bytes:
    """A whole number as protobuf writes it: seven bits a byte, the lowest first, the top bit while more follow."""
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)
    return bytes(data)
