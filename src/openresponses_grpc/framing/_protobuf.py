"""Length-delimited protobuf: each message after its length as a varint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ..codec._parsing import as_bytes, parse_event
from ..codec._scalars import SIZES
from ..errors import EventError, InvalidProtobufError
from ._detect import of_protobuf
from ._interface import ErrorHandler, explained

MAX_MESSAGE_BYTES: Final = 2**31 - 1
"""The largest message that protobuf allows."""

_START_BYTES: Final = 16


class ProtobufReader:
    """Reads each message after its length, as protobuf's own libraries write a stream of messages."""

    done: Final = False

    def __init__(self) -> None:
        self.on_error: ErrorHandler | None = None
        self._messages = 0
        self._start = b""  # the first bytes, which tell what the input is
        self._buffer = bytearray()
        self._wanted = 1  # bytes in the buffer without which no message is whole

    @property
    def position(self) -> str:
        return f"message {self._messages}"

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        chunk = as_bytes(chunk)
        self._buffer += chunk
        if len(self._start) < _START_BYTES:
            self._start += chunk[: _START_BYTES - len(self._start)]
        if len(self._buffer) < self._wanted:
            return
        self._wanted = 1
        data, self._buffer = bytes(self._buffer), bytearray()
        at = 0
        try:
            while at < len(data):
                start, length = self._length(data, at)
                if start + length > len(data):
                    self._wanted = start + length - at
                    break
                self._messages += 1
                at = start + length
                try:
                    event = data[start:at]
                    parse_event(event)
                except EventError as error:
                    self._fault(error)
                    continue
                yield event
        finally:
            self._buffer += data[at:]

    def close(self) -> Iterator[bytes]:
        if self._buffer:
            self._messages += 1
            raise self._explained(InvalidProtobufError("$", "the input ends within a message"))
        return iter(())

    def _length(self, data: bytes, at: int) -> tuple[int, int]:
        """Where the message begins whose length stands at `at`, and the length; beyond the data if it is not whole."""
        length = 0
        for index, byte in enumerate(data[at : at + 5]):
            length |= (byte & 0x7F) << (7 * index)
            if byte < 0x80 and length <= MAX_MESSAGE_BYTES:
                return at + index + 1, length
            if byte < 0x80:
                break
        else:
            if at + 5 > len(data):
                return len(data), 1
        self._messages += 1
        problem = f"invalid length prefix: at most {MAX_MESSAGE_BYTES}, in up to 5 bytes"
        raise self._explained(InvalidProtobufError("$", problem))

    def _fault(self, error: EventError) -> None:
        error = self._explained(error)
        if self.on_error is None:
            raise error from None
        self.on_error(error)

    def _explained(self, error: EventError) -> EventError:
        return explained(error, of_protobuf, self._start) if self._messages == 1 else error


class ProtobufWriter:
    """Writes each message after its length."""

    def write(self, events: Iterable[bytes]) -> Iterator[bytes]:
        parts: list[bytes] = []
        try:
            for event in events:
                parts += (SIZES[len(event)], event)
        finally:
            if parts:
                yield b"".join(parts)

    def close(self) -> bytes:
        return b""
