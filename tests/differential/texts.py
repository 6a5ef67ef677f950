"""Compares texts of equal values: the order of properties, and how strings and numbers are spelled."""

from __future__ import annotations

import re
from typing import Any

from .comparison import Special
from .json_values import Number, loads, same
from .spoil import camel
from .verdict import DifferenceError

ORDER = "a map keeps its order, also of integer names"
UNCHECKED_ORDER = "instructions have the order of output items"


def compare_texts(ours: str, answer: str, canonical: bool, special: Special) -> set[str]:
    """Demands the same order and the same spelling as the SDK's, and returns the kinds of the differences.

    The bridge writes `type` first in each object; the SDK has it later in messages. Free-form JSON stays as it was
    spelled, so that its text is the same only where the input was spelled as JavaScript spells it.
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
        raise DifferenceError(f"the order: the bridge writes {ours}, the SDK {answer}")
    moved = order(loads(answer)) != order(theirs)
    if moved and repr(mine) == repr(theirs):
        return set()
    if canonical or not any(f'"{name}":' in answer for name in special.free | special.unchecked):
        raise DifferenceError(f"the spelling: the bridge writes {ours}, the SDK {answer}")
    return set()


def without_unchecked(value: Any, special: Special) -> None:
    """Removes what is not checked."""
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
    """A value with its properties as pairs, whose order counts."""
    if isinstance(value, dict):
        return [(name, order(one)) for name, one in value.items()]
    if isinstance(value, list):
        return [order(one) for one in value]
    return float(value) if isinstance(value, Number) else value


def integers_first(value: Any) -> Any:
    """A value in the order of JavaScript: names that are array indices come first."""
    if isinstance(value, list):
        return [integers_first(one) for one in value]
    if not isinstance(value, dict):
        return value
    indices = sorted((name for name in value if re.fullmatch(r"0|[1-9]\d{0,9}", name)), key=int)
    return {name: integers_first(value[name]) for name in dict.fromkeys([*indices, *value])}


def nothing_lost(ours: Any, given: Any) -> bool:
    """Whether we write what was given, digit for digit; a name in camelCase may come back in snake_case."""
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
