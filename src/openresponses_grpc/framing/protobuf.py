"""Length-delimited protobuf: each message after its length as a varint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from google.protobuf.message import DecodeError

from openresponses.v1.events_pb2 import OpenResponsesStreamEvent

from ..errors import InvalidProtobufError
from .varint import VARINTS

MAX_MESSAGE_BYTES: Final = 2**31 - 1
"""The largest message that protobuf allows."""


class ProtobufReader:
    """Each message after its length as a varint, as protobuf's own libraries write a stream of messages."""

    def __init__(self) -> None:
        self._messages = 0
        self._buffer = bytearray()
        self._wanted = 1  # bytes in the buffer without which no message is whole
        self._error: InvalidProtobufError | None = None  # of what follows the messages that were taken

    @property
    def position(self) -> str:
        return f"message {self._messages}"

    def feed(self, chunk: bytes) -> Iterator[OpenResponsesStreamEvent]:
        return self.read(self.take(chunk))

    def take(self, chunk: bytes) -> bytes:
        """What has come and is not read yet, for `read` or for whoever reads it otherwise and calls `skip`.

        It begins with a message; empty as long as that one is not whole.
        """
        self._buffer += chunk
        if len(self._buffer) < self._wanted:
            return b""
        self._wanted = 1
        return bytes(self._buffer)

    def skip(self, messages: int, size: int) -> None:
        """Passes over so many messages, of so many bytes, which were read otherwise."""
        self._messages += messages
        del self._buffer[:size]

    def read(self, data: bytes) -> Iterator[OpenResponsesStreamEvent]:
        """Yields the events of what `take` gave, and raises what is wrong with them or with what follows them."""
        return self._events(self._cut(data))

    def close(self) -> Iterator[OpenResponsesStreamEvent]:
        if self._buffer:
            self._error = InvalidProtobufError("$", "the input ends within a message")
        return self._events([])

    def _cut(self, data: bytes) -> list[bytes]:
        messages = []
        at = 0
        while at < len(data):
            start, length = at + 1, data[at]
            if length > 0x7F:
                if start < len(data) and data[start] < 0x80:
                    start, length = at + 2, length & 0x7F | data[start] << 7
                else:
                    start, length = self._long_length(data, at)
            stop = start + length
            if stop > len(data):
                self._wanted = stop - at
                break
            messages.append(data[start:stop])
            at = stop
        del self._buffer[:at]
        return messages

    def _events(self, messages: list[bytes]) -> Iterator[OpenResponsesStreamEvent]:
        for message in messages:
            self._messages += 1
            try:
                event = OpenResponsesStreamEvent.FromString(message)
            except DecodeError as error:
                raise InvalidProtobufError("$", f"no OpenResponsesStreamEvent: {error}") from None
            yield event
        if self._error:
            self._messages += 1
            raise self._error

    def _long_length(self, data: bytes, at: int) -> tuple[int, int]:
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
        self._error = InvalidProtobufError(
            "$", f"no length of a message: at most {MAX_MESSAGE_BYTES}, in up to 5 bytes"
        )
        return len(data), 1


class ProtobufWriter:
    """Each message after its length as a varint."""

    def write(self, events: Iterable[OpenResponsesStreamEvent]) -> Iterator[bytes]:
        messages: list[bytes] = []
        try:
            for event in events:
                messages.append(event.SerializeToString())  # noqa: PERF401 - an error leaves what is before it
        finally:
            if messages:
                yield b"".join([VARINTS[len(message)] + message for message in messages])

    def close(self) -> bytes:
        return b""
