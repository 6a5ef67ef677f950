"""JSON parsed with the standard library, with the tokens of numbers."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NamedTuple

LARGEST_EXACT = 2.0**53
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"?|([\[{])|([\]}])', re.DOTALL)


class Number(NamedTuple):
    """A number as its token. It equals only the same token."""

    text: str

    def __float__(self) -> float:
        return float(self.text)


def loads(text: str) -> Any:
    """Parses JSON. NaN and Infinity, which the Python SDK writes, are numbers."""
    return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number)


def is_beyond_exact(number: Number) -> bool:
    """Whether a number is an integer that a double may not represent exactly."""
    return number.text.lstrip("-").isdigit() and abs(float(number)) >= LARGEST_EXACT


def is_infinite(number: Number) -> bool:
    """Whether a number is beyond the largest double."""
    return math.isinf(float(number))


def same_number(one: Number, other: Number) -> bool:
    """Whether JavaScript parses two numbers as the same double."""
    return one == other or float(one) == float(other)


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal: large integers digit for digit, other numbers as doubles."""
    if one == other:
        return True
    if isinstance(one, Number) and isinstance(other, Number):
        return same_number(one, other) and not (is_beyond_exact(one) and is_beyond_exact(other))
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return False


def levels(text: str) -> int:
    """The nesting depth of a text."""
    deepest = level = 0
    for opening, closing in _BRACKETS.findall(text):
        level += bool(opening) - bool(closing)
        deepest = max(deepest, level)
    return deepest


def is_unicode(text: str) -> bool:
    """Whether a text and all its strings, including those of overwritten properties, contain no lone surrogate."""
    try:
        text.encode()
        strings = json.loads(text, parse_int=float, object_pairs_hook=list)
        json.dumps(strings, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def at(value: Any, path: str) -> Any:
    """The value at a path such as `$.response.output[0].id`; None if the path does not exist."""
    for name, index in re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", path):
        try:
            value = value[name] if name else value[int(index)]
        except (LookupError, TypeError):
            return None
    return value
