"""The expected output of `to_json` for any message, computed with protobuf's reflection.

`type` comes first, then the known properties in the order of the contract, then the unknown ones.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from openresponses_grpc.v1 import annotations_pb2

from .json_values import Number, parse
from .shapes import camel, element, literal, options, properties, shape, snake, spelled


class NoJSONError(Exception):
    """The message has no JSON representation."""


def object_of(event: Any, naming: str) -> dict[str, Any]:
    """The JSON object of an event."""
    value = json_of(event, naming)
    if not isinstance(value, dict):
        raise NoJSONError
    return value


def json_of(message: Any, naming: str) -> Any:
    match shape(message.DESCRIPTOR):
        case "union":
            return _union(message, naming)
        case "list":
            return [_value(one, element(message.DESCRIPTOR), naming) for one in message.items]
        case "map":
            return _map(message, naming)
    return _object(message, naming)


def _union(message: Any, naming: str) -> Any:
    member = message.WhichOneof("kind")
    if member is None:
        raise NoJSONError
    value = getattr(message, member)
    return (
        _text(value.json)
        if member == "unrecognized"
        else _value(value, message.DESCRIPTOR.fields_by_name[member], naming)
    )


def _map(message: Any, naming: str) -> dict[str, Any]:
    if not all(entry.HasField("name") and entry.HasField("value") for entry in message.entries):
        raise NoJSONError
    members = {entry.name: _value(entry.value, element(message.DESCRIPTOR), naming) for entry in message.entries}
    if len(members) != len(message.entries):
        raise NoJSONError
    return members


def _object(message: Any, naming: str) -> dict[str, Any]:
    extra = _text(message.extra_json) if message.HasField("extra_json") else {}
    if not isinstance(extra, dict):
        raise NoJSONError
    type = literal(message.DESCRIPTOR)
    members = {"type": type} if type else {}
    if type and "type" in extra:
        raise NoJSONError
    known = {snake(field): field for field in properties(message.DESCRIPTOR)}
    # A property keeps its snake_case name if `extra_json` contains the camelCase one.
    names = {name: name if camel(field) in extra else spelled(field, naming) for name, field in known.items()}
    for name, field in known.items():
        if not message.HasField(field.name):
            members |= {names[name]: extra[name]} if name in extra else {}
        elif name in extra:
            raise NoJSONError
        else:
            members[names[name]] = _value(getattr(message, field.name), field, naming)
    return members | {name: value for name, value in extra.items() if name not in known}


def _value(value: Any, field: FieldDescriptor, naming: str) -> Any:
    if field.message_type is not None:
        return json_of(value, naming)
    if isinstance(value, float):
        if value - value != 0:
            raise NoJSONError
        return Number(repr(value))
    if options(field).json_text:
        json = _text(value)
        wanted = (
            isinstance(json, dict) if options(field).json_text == annotations_pb2.JSON_TEXT_OBJECT else json is not None
        )
        if not wanted:
            raise NoJSONError
        return json
    return value


def _text(text: str) -> Any:
    try:
        return parse(text)
    except (ValueError, RecursionError):
        raise NoJSONError from None
