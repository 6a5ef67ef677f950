"""Compares the texts of equal values: the order of properties, and the spelling of strings and numbers."""

from __future__ import annotations

import re
from typing import Any

from .comparison import Special
from .json_values import Number, loads, same
from .spoil import camel
from .verdict import DifferenceError

ORDER = "a map keeps its order, including integer names"
UNCHECKED_ORDER = "instructions are in the order of output items"


def compare_texts(ours: str, answer: str, canonical: bool, special: Special) -> set[str]:
    """Checks that order and spelling equal the SDK's; returns the kinds of intended differences.

    The codec writes `type` first in each object; in messages, the SDK writes it later. The codec preserves the spelling
    of free-form JSON, so its text equals the SDK's only if JavaScript would write the input unchanged.
    """
    if ours == answer:
        return set()
    mine, theirs = loads(ours), type_first(loads(answer))
    if order(mine) != order(theirs):
        kinds = set()
        if order(integers_first(mine)) != order(integers_first(theirs)):
            kinds.add(UNCHECKED_ORDER)
            without_unchecked(mine, special)
            without_unchecked(theirs, special)
        if order(mine) != order(theirs):
            kinds.add(ORDER)
        if order(integers_first(mine)) == order(theirs):
            return kinds
        raise DifferenceError(f"the order: the codec writes {ours}, the SDK {answer}")
    moved = order(loads(answer)) != order(theirs)
    if moved and repr(mine) == repr(theirs):
        return set()
    if canonical or not any(f'"{name}":' in answer for name in special.free | special.unchecked):
        raise DifferenceError(f"the spelling: the codec writes {ours}, the SDK {answer}")
    return set()


def without_unchecked(value: Any, special: Special) -> None:
    """Removes unchecked properties."""
    for one in value.values() if isinstance(value, dict) else ():
        without_unchecked(one, special)
    for name in special.unchecked:
        if isinstance(value, dict):
            value.pop(name, None)


def type_first(value: Any) -> Any:
    """A value with `type` first in each message."""
    if isinstance(value, list):
        return [type_first(one) for one in value]
    if isinstance(value, dict):
        first = {"type": value["type"]} if value.get("type") == "message" else {}
        return first | {name: type_first(one) for name, one in value.items()}
    return value


def order(value: Any) -> Any:
    """Converts objects to lists of pairs, so that comparisons include the order."""
    if isinstance(value, dict):
        return [(name, order(one)) for name, one in value.items()]
    if isinstance(value, list):
        return [order(one) for one in value]
    return float(value) if isinstance(value, Number) else value


def integers_first(value: Any) -> Any:
    """Reorders properties like JavaScript: names that are array indices come first."""
    if isinstance(value, list):
        return [integers_first(one) for one in value]
    if not isinstance(value, dict):
        return value
    indices = sorted((name for name in value if re.fullmatch(r"0|[1-9]\d{0,9}", name)), key=int)
    return {name: integers_first(value[name]) for name in dict.fromkeys([*indices, *value])}


def nothing_lost(ours: Any, given: Any) -> bool:
    """Whether the output contains the whole input, digit for digit; names may change from camelCase to snake_case."""
    if ours == given:
        return True
    if isinstance(ours, dict) and isinstance(given, dict):
        spelled = {camel(name): name for name in ours}
        names = {name: name if name in ours else spelled.get(name) for name in given}
        return set(names.values()) == ours.keys() and all(
            mine is not None and nothing_lost(ours[mine], given[name]) for name, mine in names.items()
        )
    if isinstance(ours, list) and isinstance(given, list):
        return len(ours) == len(given) and all(map(nothing_lost, ours, given))
    return same(ours, given)
