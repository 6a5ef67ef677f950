"""Length-delimited protobuf: each message with its length as a varint prefix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ..codec._parsing import as_bytes, parse_event
from ..codec._scalars import SIZES
from ..errors import EventError, InvalidProtobufError
from ._detect import detect_in_protobuf
from ._interface import ErrorHandler, explain

MAX_MESSAGE_BYTES: Final = 2**31 - 1
"""Protobuf's size limit for messages."""

_START_BYTES: Final = 16


class ProtobufReader:
    """Reads length-delimited messages, in the format of protobuf's own libraries."""

    done: Final = False

    def __init__(self) -> None:
        self.on_error: ErrorHandler | None = None
        self._messages = 0
        self._start = b""  # the first bytes of the input, for error messages
        self._buffer = bytearray()
        self._wanted = 1  # bytes needed in the buffer to complete the next message

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
                    self._handle_error(error)
                    continue
                yield event
        finally:
            self._buffer += data[at:]

    def close(self) -> Iterator[bytes]:
        if self._buffer:
            self._messages += 1
            raise self._explain(InvalidProtobufError("$", "the input ends within a message"))
        return iter(())

    def _length(self, data: bytes, at: int) -> tuple[int, int]:
        """Returns start and length of the message at `at`; for an incomplete prefix, the sum exceeds the data."""
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
        problem = f"invalid length prefix: expected at most {MAX_MESSAGE_BYTES}, in up to 5 bytes"
        raise self._explain(InvalidProtobufError("$", problem))

    def _handle_error(self, error: EventError) -> None:
        error = self._explain(error)
        if self.on_error is None:
            raise error from None
        self.on_error(error)

    def _explain(self, error: EventError) -> EventError:
        return explain(error, detect_in_protobuf, self._start) if self._messages == 1 else error


class ProtobufWriter:
    """Writes length-delimited messages, in the format of protobuf's own libraries."""

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
