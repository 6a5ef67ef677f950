"""The errors of the codec and the readers: one small tree under ValueError."""

from __future__ import annotations


class EventError(ValueError):
    """An event cannot be read or written.

    Attributes:
        path: the place of the fault in the event's JSON, as a JSONPath: `$` is the whole event, `$.response.usage` a
            property.
        problem: what is wrong there and, where that helps, what would be right.

    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)  # both, so that the error can be pickled
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


class InvalidJSONError(EventError):
    """The input is not one JSON object in UTF-8, or is nested too deeply."""


class UnknownEventTypeError(EventError):
    """Strict reading: OpenRouter's SDK has no event of this type."""


class EventShapeError(EventError):
    """Strict reading: a property is missing, of another JSON type, out of range, or not one of the allowed values."""


class IncompleteEventError(EventError):
    """A message has no JSON: nothing is set in a union, or JSON text in it does not fit."""


class InvalidProtobufError(EventError):
    """The bytes are not a serialized `OpenResponsesStreamEvent`, or are truncated."""
