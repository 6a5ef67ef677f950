"""Length-delimited protobuf: each message after its length as a varint."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Final

from google.protobuf.message import DecodeError

from openresponses.v1.events_pb2 import OpenResponsesStreamEvent

from ..errors import InvalidProtobufError

MAX_MESSAGE_BYTES: Final = 2**31 - 1
"""The largest message that protobuf allows."""


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
                if length <= MAX_MESSAGE_BYTES:
                    return at + index + 1, length
                break
        else:
            if at + 5 > len(data):
                return len(data), 1
        self._messages += 1
        raise InvalidProtobufError("$", f"no message is longer than {MAX_MESSAGE_BYTES} bytes")


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


@functools.lru_cache(maxsize=1 << 14)
def _varint(number: int) -> bytes:
    """A whole number as protobuf writes it: seven bits a byte, the lowest first, the top bit while more follow."""
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)
    return bytes(data)
