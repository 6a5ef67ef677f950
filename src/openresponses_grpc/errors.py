"""Errors of the codec and the stream readers. All are subclasses of ValueError."""

from __future__ import annotations


class EventError(ValueError):
    """An event cannot be read or written.

    Attributes:
        path: JSONPath of the fault in the event's JSON: `$` for the whole event, `$.response.usage` for a property.
        problem: what is wrong there, with the expected value where that helps.

    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)  # pickling needs both arguments
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


class InvalidJSONError(EventError):
    """The input is not a single JSON object in UTF-8, or is nested too deeply."""


class UnknownEventTypeError(EventError):
    """Strict mode: OpenRouter's SDK does not define this event type."""


class EventShapeError(EventError):
    """Strict mode: a property is missing, has the wrong JSON type, is out of range, or is not an allowed value."""


class IncompleteEventError(EventError):
    """A message cannot be written as JSON: a union has no member set, or a field holds invalid JSON text."""


class InvalidProtobufError(EventError):
    """The bytes are not a serialized `OpenResponsesStreamEvent`, or they are truncated."""
