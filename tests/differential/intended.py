"""The differences from the SDKs that are meant to be, with their reasons."""

from __future__ import annotations

import math
from typing import Any

from openresponses_grpc import EventShapeError, InvalidJSONError

from .compare import Case, Intended, Terms
from .events import EVENT_TYPES
from .reading import has_constants, is_unicode, levels, loads, longest_integer

LEVELS = 200
"""Up to here nothing that reads the events may give up. The SDK in Python does from here on."""

INTEGER_DIGITS = 4300
"""Python's own bound of what it makes an `int` of."""


def at_fault(case: Case) -> Any:
    """The value of the property that the bridge rejects, None where it rejects something else."""
    if isinstance(case.error, EventShapeError):
        return loads(case.given.text).get(case.error.path.removeprefix("$."))
    return None


def nested_deeply(case: Case) -> bool:
    return levels(case.given.text) > LEVELS


def lone_surrogates(case: Case) -> bool:
    return isinstance(case.error, InvalidJSONError) and not is_unicode(case.given.text)


def both_spellings(case: Case) -> bool:
    if not isinstance(case.error, EventShapeError):
        return False
    spellings = {f"$.{field.name}": {field.name, field.json_name} for field in EVENT_TYPES[case.given.message].fields}
    properties: dict[str, Any] = loads(case.given.text)
    return spellings[case.error.path] <= properties.keys()


def constant(case: Case) -> bool:
    return isinstance(case.error, InvalidJSONError) and has_constants(case.given.text)


def out_of_range(case: Case) -> bool:
    value = at_fault(case)
    return isinstance(value, float) and math.isinf(value)


def boolean(case: Case) -> bool:
    return isinstance(at_fault(case), bool)


def number_in_string(case: Case) -> bool:
    value = at_fault(case)
    try:
        return isinstance(value, str) and isinstance(float(value), float)
    except ValueError:
        return False


def long_integer(case: Case) -> bool:
    return case.answer is None and longest_integer(case.given.text) > INTEGER_DIGITS


# First of all, because Python's own parser, which the others ask, has a bound too.
NESTED_DEEPLY = Intended(
    "more than 200 levels",
    "A parser that recurses needs a bound. The SDK in Python has it at 200 levels; the one in TypeScript has none.",
    nested_deeply,
)
BOTH_SPELLINGS = Intended(
    "both spellings",
    "The SDKs drop itemId beside item_id like any property that they do not know. The bridge keeps those, and an event"
    " with two values of one property says nothing.",
    both_spellings,
)
LONE_SURROGATES = Intended(
    "lone surrogates",
    "ECMAScript's strings are UTF-16 code units. A protobuf string is Unicode text and cannot hold one half of a pair.",
    lone_surrogates,
)

NODE = Terms("camelCase", to_the_byte=True, intended=(NESTED_DEEPLY, BOTH_SPELLINGS, LONE_SURROGATES))

PYTHON = Terms(
    "snake_case",
    to_the_byte=False,
    intended=(
        NESTED_DEEPLY,
        BOTH_SPELLINGS,
        Intended(
            "numbers in strings",
            'pydantic makes numbers of "1", " 7.5 ", "1_0" and "nan". The SDK in TypeScript rejects the string.',
            number_in_string,
        ),
        Intended(
            "booleans for numbers",
            "pydantic makes 1 of true and 0 of false. The SDK in TypeScript rejects the boolean.",
            boolean,
        ),
        Intended(
            "numbers beyond a double",
            "pydantic makes infinity of 1e400, and JSON has no way to write that. The SDK in TypeScript rejects it.",
            out_of_range,
        ),
        Intended(
            "NaN and Infinity",
            "pydantic reads NaN, Infinity and -Infinity, also in properties that it drops. They are not JSON.",
            constant,
        ),
        Intended(
            "integers of more than 4300 digits",
            "pydantic has Python's bound on the digits of an integer, also in properties that it drops. JSON has none.",
            long_integer,
        ),
    ),
)
