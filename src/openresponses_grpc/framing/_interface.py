"""The interface of every format: a reader and a writer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from ..errors import EventError, InvalidJSONError, InvalidProtobufError

JSONDecoder = Callable[..., bytes]
"""Makes a serialized event of its JSON: `json_to_protobuf`, or a `functools.partial` of it with `strict=True`."""

JSONEncoder = Callable[[bytes], bytes]
"""Makes JSON of a serialized event: `protobuf_to_json`, or a `functools.partial` of it such as with `naming`."""

ErrorHandler = Callable[[EventError], None]
"""Is told what is wrong with an event that is left out."""


class EventReader(Protocol):
    """Reads serialized events from chunks of bytes.

    Attributes:
        on_error: None: an invalid event raises. Otherwise it is told of the error, and the reader leaves the event out.
    """

    on_error: ErrorHandler | None

    @property
    def done(self) -> bool:
        """Whether the input said that it is complete, as `data: [DONE]` does in SSE."""

    @property
    def position(self) -> str:
        """The place of the event that was read last, or of the invalid input: `line 3`."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yields the events that end in this chunk. Exhaust it before the next call.

        Raises:
            EventError: the input is invalid. The reader cannot continue. `on_error` gets what is wrong with one event.

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


def explained(error: EventError, looks_like: Callable[[bytes], str | None], data: bytes) -> EventError:
    """The error, with what the data looks like where it is no event's at all."""
    if not isinstance(error, InvalidJSONError | InvalidProtobufError) or error.problem.startswith("nested"):
        return error
    looks = looks_like(data)
    return type(error)(error.path, f"{error.problem}; {looks}") if looks else error
