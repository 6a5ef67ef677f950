"""Terminal events."""

from __future__ import annotations

from typing import Final

from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from ..codec._encode import EXTRA_TAG
from ..codec._schema import message_of

TERMINAL_TYPES: Final = ("response.completed", "response.failed", "response.incomplete", "error")
"""Types of terminal events: no event of the response follows them."""

_EVENT: Final = message_of(OpenResponsesStreamEvent.DESCRIPTOR)
_TAGS: Final = tuple(_EVENT.by_type[name].tag for name in TERMINAL_TYPES)


def is_terminal(event: bytes) -> bool:
    """Returns whether a serialized event is terminal: one of `TERMINAL_TYPES`, by its JSON or its SSE event name."""
    if event.startswith(EXTRA_TAG):
        return OpenResponsesStreamEvent.FromString(event).unrecognized.type in TERMINAL_TYPES
    return event.startswith(_TAGS)
