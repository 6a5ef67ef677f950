"""The interface of every format: a reader and a writer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

JSONDecoder = Callable[..., bytes]
"""Makes a serialized event of its JSON: `json_to_protobuf`, or a `functools.partial` of it with `strict=True`."""

JSONEncoder = Callable[[bytes], bytes]
"""Makes JSON of a serialized event: `protobuf_to_json`, or a `functools.partial` of it such as with `naming`."""


class EventReader(Protocol):
    """Reads serialized events from chunks of bytes."""

    @property
    def position(self) -> str:
        """The place of the event that was read last, or of the invalid input: `line 3`."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yields the events that end in this chunk. Exhaust it before the next call.

        Raises:
            EventError: the input is invalid. The reader cannot continue.

        """

    def close(self) -> Iterator[bytes]:
        """Yields the events that the end of the input completes; raises EventError where it cuts an event off."""


class EventWriter(Protocol):
    """Writes serialized events as bytes."""

    def write(self, events: Iterable[bytes]) -> Iterator[bytes]:
        """Yields the bytes of the events.

        If an event has no such form, or reading the events raises, the events before it are yielded first.

        Raises:
            EventError: an event has no such form.
        """

    def close(self) -> bytes:
        """The bytes that end the stream."""
