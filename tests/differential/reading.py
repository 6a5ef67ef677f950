"""JSON as Python's own parser sees it: the third opinion beside the SDK's and the bridge's."""

from __future__ import annotations

import json
import re
from typing import Any

_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"?|([\[{])|([\]}])', re.DOTALL)


def loads(text: str) -> Any:
    """The value of a text, every number a double as in ECMAScript."""
    return json.loads(text, parse_int=float)


def pairs(text: str) -> list[tuple[str, Any]]:
    """An object's properties in their order."""
    return list(loads(text).items())


def without_sign_of_zero(text: str) -> list[tuple[str, Any]]:
    """An object's properties in their order, with 0 for -0."""
    parsed: dict[str, Any] = json.loads(text, parse_int=_unsigned_zero, parse_float=_unsigned_zero)
    return list(parsed.items())


def _unsigned_zero(digits: str) -> float:
    return float(digits) + 0.0


def canonical(value: object) -> str:
    """A text that two values share if and only if they are the same; unlike `==` it tells 1 from true and 0 from -0."""
    return json.dumps(value)


def levels(text: str) -> int:
    """How deeply a text is nested."""
    deepest = level = 0
    for opening, closing in _BRACKETS.findall(text):
        level += bool(opening) - bool(closing)
        deepest = max(deepest, level)
    return deepest


def longest_integer(text: str) -> int:
    """The number of digits of the longest integer."""
    integers = [0]
    json.loads(text, parse_int=lambda digits: integers.append(len(digits.removeprefix("-"))))
    return max(integers)


def has_constants(text: str) -> bool:
    """Whether a text has NaN or Infinity where JSON has numbers."""
    constants: list[str] = []
    json.loads(text, parse_int=float, parse_constant=constants.append)
    return bool(constants)


def is_unicode(text: str) -> bool:
    """Whether a text and all strings in it, those of overwritten properties too, are free of lone surrogates."""
    try:
        text.encode()
        strings = json.loads(text, parse_int=float, object_pairs_hook=list)
        json.dumps(strings, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
