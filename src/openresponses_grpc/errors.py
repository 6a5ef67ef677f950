"""What the bridge and the readers raise: one small tree under ValueError."""

from __future__ import annotations


class EventError(ValueError):
    """An event that cannot be read or written.

    Attributes:
        path: where in the event's JSON the fault is, as a JSONPath: `$` is the whole event, `$.itemId` a property.
        problem: what is wrong there and, where that helps, what would be right.

    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)  # both, so that the error can be pickled
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


class InvalidJSONError(EventError):
    """The input is not one JSON object in UTF-8 with a string property `type`."""


class UnknownEventTypeError(EventError):
    """The event's type is none that the contract models."""


class EventShapeError(EventError):
    """A property of a modelled event is missing, of another JSON type, out of range or there twice."""


class IncompleteEventError(EventError):
    """A message has no JSON form: no event is set, a required field is unset, or its raw JSON does not fit it."""


class InvalidProtobufError(EventError):
    """The bytes are no protobuf encoding of an event, or end in the middle of one."""
