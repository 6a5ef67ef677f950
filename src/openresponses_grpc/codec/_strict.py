"""Rejects what OpenRouter's SDK rejects, as described by the contract's options."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from ..errors import EventShapeError, UnknownEventTypeError
from ._scan import child_path
from ._schema import TYPE, Field, Kind, Message, Naming, Shape

_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_NAMES: Final = {str: "a string", float: "a number", bool: "a boolean", list: "an array", dict: "an object"}

_KINDS: Final[dict[type, Kind | Shape]] = {
    str: Kind.STRING,
    float: Kind.NUMBER,
    bool: Kind.BOOLEAN,
    list: Shape.LIST,
    dict: Shape.OBJECT,
}

# Like JSON.parse, turn integers that are too large for a double into infinity.
_parse: Final = json.JSONDecoder(parse_int=float).decode


def check_strict(text: str, event: Message, naming: Naming | None) -> None:
    """Raises if the SDK's parser rejects an event.

    Args:
        text: a JSON object that the codec accepts.
        event: the union of all events.
        naming: required spelling of known properties; None accepts both.

    Raises:
        UnknownEventTypeError: the SDK does not define this event type.
        EventShapeError: a property is missing, has the wrong JSON type, or is not an allowed value.

    """
    value = _parse(text)
    if _SURROGATE.search(text):
        for path, string in _strings(value, "$"):
            if not string.isascii() and any("\ud800" <= character <= "\udfff" for character in string):
                raise EventShapeError(path, "the string contains a lone surrogate")
    field = event.by_type.get(value[TYPE]) if isinstance(value.get(TYPE), str) else None
    if field is None or field.options.beyond_sdk:
        if TYPE not in value:
            raise UnknownEventTypeError("$.type", "a required property is missing")
        raise UnknownEventTypeError(
            "$.type", f"the SDK does not define event type {value[TYPE]!r:.100}; lenient mode accepts it"
        )
    _check_object(value, field.message, "$", naming)


def _check_message(value: Any, message: Message, path: str, naming: Naming | None) -> None:
    match message.shape, value:
        case Shape.OBJECT, dict():
            _check_object(value, message, path, naming)
        case Shape.LIST, list():
            for index, element in enumerate(value):
                _check_field(element, message.element, f"{path}[{index}]", naming)
        case Shape.MAP, dict():
            for name, member in value.items():
                _check_field(member, message.element, child_path(path, name), naming)
        case Shape.UNION, _:
            _check_union(value, message, path, naming)
        case _:
            _mismatch(path, "an array" if message.shape is Shape.LIST else "an object", value)


def _check_union(value: Any, message: Message, path: str, naming: Naming | None) -> None:
    if isinstance(value, dict) and isinstance(value.get(TYPE), str):
        field = message.by_type.get(value[TYPE])
        path_of_type = child_path(path, TYPE)
        if field is None or field.options.beyond_sdk:
            allowed = ", ".join(name for name, field in message.by_type.items() if not field.options.beyond_sdk)
            raise EventShapeError(path_of_type, f"expected one of {allowed}, got {value[TYPE]!r:.100}")
    else:
        field = message.by_kind.get(_KINDS.get(type(value), Shape.UNION))
        if field is None or field.options.beyond_sdk:
            if isinstance(value, dict):
                raise EventShapeError(child_path(path, TYPE), "expected a string")
            _mismatch(path, "another JSON type", value)
    _check_field(value, field, path, naming)


def _check_object(value: dict[str, Any], message: Message, path: str, naming: Naming | None) -> None:
    for field in message.fields:
        if field.options.beyond_sdk or field.options.unchecked:
            continue
        camel, snake = field.names["camelCase"], field.names["snake_case"]
        name = field.names[naming] if naming else snake if snake in value else camel
        property_path = child_path(path, name)
        if camel != snake and camel in value and snake in value and naming != "snake_case":
            raise EventShapeError(property_path, f"the property is present in both spellings, {snake} and {camel}")
        if name not in value:
            if field.options.required:
                other = {camel, snake} - {name}
                hint = f"; found {other.pop()}: check the naming" if other and other & value.keys() else ""
                raise EventShapeError(property_path, f"a required property is missing{hint}")
        elif value[name] is not None or not field.options.nullable:
            _check_field(value[name], field, property_path, naming)


def _check_field(value: Any, field: Field, path: str, naming: Naming | None) -> None:
    match field.kind, value:
        case Kind.MESSAGE, _:
            _check_message(value, field.message, path, naming)
        case Kind.STRING, str():
            if field.options.allowed and value not in field.options.allowed:
                raise EventShapeError(path, f"expected one of {', '.join(field.options.allowed)}, got {value!r:.100}")
        case Kind.NUMBER, float():
            if math.isinf(value):
                raise EventShapeError(path, "the number is outside the range of a double")
        case Kind.BOOLEAN, bool():
            pass
        case Kind.TEXT, _ if isinstance(value, dict) or not field.object_only:
            pass
        case _:
            _mismatch(path, "an object" if field.kind is Kind.TEXT else field.kind.value, value)


def _mismatch(path: str, expected: str, value: Any) -> NoReturn:
    raise EventShapeError(path, f"expected {expected}, got {_NAMES.get(type(value), 'null')}")


def _strings(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yields all strings of a value, including property names, with their paths."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from _strings(element, f"{path}[{index}]")
    elif isinstance(value, dict):
        for name, member in value.items():
            yield path, name
            yield from _strings(member, child_path(path, name))
