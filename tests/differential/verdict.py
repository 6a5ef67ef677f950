"""The result of a comparison."""

from __future__ import annotations

from typing import NamedTuple

from openresponses_grpc import EventError, from_json
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

LEVELS = 100
"""The codec rejects deeper nesting."""

CONSTANT = "NaN and Infinity are not JSON"
DEEP = "nesting of more than 100 levels"


class DifferenceError(Exception):
    """A difference that is not intended."""


class Verdict(NamedTuple):
    """The result of one comparison.

    Attributes:
        type: the type of the original event of the input.
        accepted: whether both accept the input.
        identical: whether both write the same text.
        kinds: the intended differences.
        problem: the description of an unintended difference.
    """

    type: str
    accepted: bool
    identical: bool = False
    kinds: frozenset[str] = frozenset()
    problem: str | None = None


def read_strictly(text: str) -> OpenResponsesStreamEvent | EventError:
    """Parses an input strictly; returns the event or the error."""
    try:
        return from_json(text, naming="snake_case", strict=True)
    except EventError as error:
        return error
