"""An independent implementation of the round trip: `to_json(from_json(x), naming=n)` equals `respell(x, n)`."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from .shapes import EVENT, camel, element, holds, inner, member_of, property_of, shape, snake, spelled


def respell(event: dict[str, Any], naming: str) -> Any:
    """Renames the known properties of an event, except in values that fields cannot hold."""
    return _union(event, EVENT, naming)


def _union(value: Any, union: Descriptor, naming: str) -> Any:
    member = member_of(union, value)
    return value if member is None else _field(value, member, naming)


def _field(value: Any, field: FieldDescriptor, naming: str) -> Any:
    if field.message_type is None:
        return value
    message = inner(field)
    match shape(message):
        case "union":
            return _union(value, message, naming)
        case "object":
            return _object(value, message, naming)
        case "list":
            return [_field(one, element(message), naming) for one in value]
    return {name: _field(one, element(message), naming) for name, one in value.items()}


def _object(value: dict[str, Any], message: Descriptor, naming: str) -> dict[str, Any]:
    respelled = {}
    for name, one in value.items():
        field = property_of(message, value, name)
        if field is None:
            respelled[name] = one
            continue
        both = snake(field) in value and camel(field) in value
        new = snake(field) if both else spelled(field, naming)
        respelled[new] = _field(one, field, naming) if one is not None and holds(field, one) else one
    return respelled
