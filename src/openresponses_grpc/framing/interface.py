"""What every format of event streams has: a reader and a writer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from openresponses.v1.events_pb2 import OpenResponsesStreamEvent


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
