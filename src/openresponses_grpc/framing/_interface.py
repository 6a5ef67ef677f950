"""The interface of the formats: a reader and a writer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from ..errors import EventError, InvalidJSONError, InvalidProtobufError

JSONDecoder = Callable[..., bytes]
"""Converts JSON to a serialized event: `json_to_protobuf`, or a `functools.partial` of it, such as with `strict`."""

JSONEncoder = Callable[[bytes], bytes]
"""Converts a serialized event to JSON: `protobuf_to_json`, or a `functools.partial` of it, such as with `naming`."""

ErrorHandler = Callable[[EventError], None]
"""Called with the error of each event that a reader skips."""


class EventReader(Protocol):
    """Reads serialized events from chunks of bytes.

    Attributes:
        on_error: called with the error of an invalid event, which the reader then skips. If None, the reader raises.

    """

    on_error: ErrorHandler | None

    @property
    def done(self) -> bool:
        """Whether the input has declared its end, such as with `data: [DONE]` in SSE."""

    @property
    def position(self) -> str:
        """Location of the last event or of the invalid input, such as `line 3`."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yields the events that end in a chunk. Exhaust the iterator before the next call.

        Args:
            chunk: the next bytes of the input.

        Raises:
            EventError: the input is invalid, and the reader cannot continue. Errors of single events go to `on_error`
                if it is set.

        """

    def close(self) -> Iterator[bytes]:
        """Yields the events that the end of the input completes.

        Raises:
            EventError: the input ends within an event.

        """


class EventWriter(Protocol):
    """Writes serialized events as bytes."""

    def write(self, events: Iterable[bytes]) -> Iterator[bytes]:
        """Yields the output for events.

        If an event cannot be written, or the iterator of events raises, the output for the events before it is yielded
        first.

        Args:
            events: the serialized events.

        Raises:
            EventError: an event cannot be written in this format.

        """

    def close(self) -> bytes:
        """Returns the output that ends the stream; may be empty."""


def explain(error: EventError, detect: Callable[[bytes], str | None], data: bytes) -> EventError:
    """Returns the error of an invalid input, extended by what `detect` finds in the data."""
    if not isinstance(error, InvalidJSONError | InvalidProtobufError) or error.problem.startswith("nested"):
        return error
    found = detect(data)
    return type(error)(error.path, f"{error.problem}; {found}") if found else error
