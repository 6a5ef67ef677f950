"""Compares the JSON that the codec and an SDK write for an event, and classifies intended differences."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .json_values import Number, is_beyond_exact, is_infinite, same_number
from .schema import ANY, Events, Map, Object, Schema, Union, parts
from .spoil import camel
from .verdict import DifferenceError

UNKNOWN = "an unknown property is kept"
BOTH_SPELLINGS = "a property in both namings"
LARGE_INTEGER = "an integer beyond 2^53 stays exact"
INFINITE = "1e400 in free-form JSON is preserved"
RESULT = "a missing result stays missing"
PROTO = "a map keeps the name __proto__"
INSTRUCTIONS = "instructions with an odd part keep their names"
NULL = "null is preserved"


@dataclass(frozen=True)
class Special:
    """The names of properties other than plain objects, lists and scalars.

    Attributes:
        maps: maps with values of a known type.
        free: maps of arbitrary JSON.
        unchecked: unions that accept any JSON.
    """

    maps: frozenset[str]
    free: frozenset[str]
    unchecked: frozenset[str]


def special_names(events: Events) -> Special:
    """Finds the special properties in a schema. Their names have the same meaning everywhere."""
    maps: set[str] = set()
    free: set[str] = set()
    unchecked: set[str] = set()
    for event in events.by_type.values():
        for part in parts(event):
            for name, schema in part.properties.items() if isinstance(part, Object) else ():
                for one in members(schema):
                    if one == ANY:
                        unchecked.add(name)
                    elif isinstance(one, Map):
                        (free if ANY in members(one.of) else maps).add(name)
    return Special(frozenset(maps), frozenset(free), frozenset(unchecked))


def members(schema: Schema) -> tuple[Schema, ...]:
    return schema.of if isinstance(schema, Union) else (schema,)


@dataclass
class Comparison:
    """One comparison. It collects the kinds of intended differences, and raises DifferenceError for others.

    Attributes:
        special: the properties with special comparisons.
        pydantic: whether the SDK omits null, and converts parts of unchecked values.
    """

    special: Special
    pydantic: bool = False
    kinds: set[str] = field(default_factory=set)

    def compare(self, ours: Any, theirs: Any, given: Any, path: str = "$") -> None:
        """Compares two outputs for the same input, `given`."""
        if ours == theirs:
            return
        if isinstance(ours, dict) and isinstance(theirs, dict):
            self.compare_objects(ours, theirs, given if isinstance(given, dict) else {}, path)
        elif isinstance(ours, list) and isinstance(theirs, list):
            require(len(ours) == len(theirs), path, ours, theirs)
            inputs = given if isinstance(given, list) and len(given) == len(ours) else [None] * len(ours)
            for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
                self.compare(one, other, inputs[index], f"{path}[{index}]")
        else:
            self.compare_scalars(ours, theirs, path)

    def compare_objects(self, ours: dict[str, Any], theirs: dict[str, Any], given: dict[str, Any], path: str) -> None:
        spelled = {camel(name): name for name in given if camel(name) != name}
        found = set()
        for name, value in theirs.items():
            source = spelled.get(name, name)
            mine = name
            if source != name and source in ours and name in given:
                self.kinds.add(BOTH_SPELLINGS)
                mine = source
            if mine not in ours:
                require(name == "result" and value is None and name not in given, path, f"no {name}", value)
                self.kinds.add(RESULT)
                continue
            found.add(mine)
            self.compare_property(name, ours[mine], value, given.get(source), f"{path}.{name}")
        for name in ours.keys() - found:
            require(
                {name, camel(name), spelled.get(name)} & given.keys() != set(),
                path,
                f"{name}, which is not in the input",
                theirs,
            )
            self.kinds.add(NULL if self.pydantic and ours[name] is None else UNKNOWN)

    def compare_property(self, name: str, ours: Any, theirs: Any, given: Any, path: str) -> None:
        if name in self.special.unchecked and (self.pydantic or free_form_equal(given, theirs)):
            # npm's SDK returns its input. The codec respells known names.
            if not free_form_equal(ours, theirs):
                self.kinds.add(INSTRUCTIONS)
        elif name in self.special.maps | self.special.free and isinstance(ours, dict) and isinstance(theirs, dict):
            extra = ours.keys() - theirs.keys()
            require(extra <= {"__proto__"} and theirs.keys() <= ours.keys(), path, ours, theirs)
            if extra:
                self.kinds.add(PROTO)
            for key, value in theirs.items():
                if name in self.special.free:
                    self.compare_free_form(ours[key], value, f"{path}.{key}")
                else:
                    self.compare(ours[key], value, (given or {}).get(key), f"{path}.{key}")
        else:
            self.compare(ours, theirs, given, path)

    def compare_free_form(self, ours: Any, theirs: Any, path: str) -> None:
        if isinstance(ours, dict) and isinstance(theirs, dict):
            require(ours.keys() == theirs.keys(), path, ours, theirs)
            for name, value in theirs.items():
                self.compare_free_form(ours[name], value, f"{path}.{name}")
        elif isinstance(ours, list) and isinstance(theirs, list):
            require(len(ours) == len(theirs), path, ours, theirs)
            for index, value in enumerate(theirs):
                self.compare_free_form(ours[index], value, f"{path}[{index}]")
        else:
            self.compare_scalars(ours, theirs, path)

    def compare_scalars(self, ours: Any, theirs: Any, path: str) -> None:
        if isinstance(ours, Number) and isinstance(theirs, Number):
            require(same_number(ours, theirs), path, ours, theirs)
            if ours != theirs and is_beyond_exact(ours):
                self.kinds.add(LARGE_INTEGER)
        elif isinstance(ours, Number) and theirs is None and is_infinite(ours):
            self.kinds.add(INFINITE)
        else:
            require(type(ours) is type(theirs) and ours == theirs, path, ours, theirs)


def free_form_equal(one: Any, other: Any) -> bool:
    """Whether two values are equal in JavaScript, which writes 1e400 as null."""
    try:
        Comparison(Special(frozenset(), frozenset(), frozenset())).compare_free_form(one, other, "$")
    except DifferenceError:
        return False
    return True


def require(holds: bool, path: str, ours: Any, theirs: Any) -> None:
    if not holds:
        raise DifferenceError(f"{path}: the codec writes {str(ours)[:300]}, the SDK {str(theirs)[:300]}")
