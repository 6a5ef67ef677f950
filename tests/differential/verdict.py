"""How a comparison ends."""

from __future__ import annotations

from typing import NamedTuple

from openresponses_grpc import EventError, from_json
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

LEVELS = 100
"""Deeper nesting is an error for the bridge."""

CONSTANT = "NaN and Infinity are not JSON"
DEEP = "nesting of more than 100 levels"


class DifferenceError(Exception):
    """A difference that is not intended."""


class Verdict(NamedTuple):
    """How one comparison ends.

    Attributes:
        type: the type of the event that the input was made from.
        accepted: whether both accept the input.
        to_the_byte: whether both write the same text.
        kinds: the intended differences.
        problem: what an unintended difference is.
    """

    type: str
    accepted: bool
    to_the_byte: bool = False
    kinds: frozenset[str] = frozenset()
    problem: str | None = None


def read_strictly(text: str) -> OpenResponsesStreamEvent | EventError:
    """What the bridge makes of an input."""
    try:
        return from_json(text, naming="snake_case", strict=True)
    except EventError as error:
        return error
