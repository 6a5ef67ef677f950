"""One value for each message and each field, in an event: the fixed counterpart of `generate`."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from openresponses_grpc.v1 import annotations_pb2

from .shapes import EVENT, element, inner, literal, members, messages, options, parent, properties, shape, spelled


def objects() -> list[Descriptor]:
    """The messages of JSON objects, without `Unrecognized` and map entries."""
    return [message for message in messages() if "extra_json" in message.fields_by_name]


def value_of(field: FieldDescriptor, naming: str) -> Any:
    """A value that the field can hold and strict parsing accepts."""
    if options(field).json_text:
        return {"a": 1} if options(field).json_text == annotations_pb2.JSON_TEXT_OBJECT else [1]
    if field.type == FieldDescriptor.TYPE_STRING:
        return (*options(field).allowed, "text")[0]
    if field.type in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_BOOL):
        return 7977.5 if field.type == FieldDescriptor.TYPE_DOUBLE else True
    return value_for(inner(field), naming)


@cache
def value_for(message: Descriptor, naming: str) -> Any:
    """A small JSON value of the message."""
    match shape(message):
        case "object":
            return object_of(message, naming, [field for field in properties(message) if options(field).required])
        case "union":
            return value_of(
                next(member for member in members(message) if in_sdk(member) or member is members(message)[-1]), naming
            )
        case "list":
            return [value_of(element(message), naming)]
    return {"name": value_of(element(message), naming)}


def object_of(message: Descriptor, naming: str, fields: list[FieldDescriptor]) -> dict[str, Any]:
    """A JSON object of the message with the properties of these fields."""
    type = {"type": literal(message)} if literal(message) else {}
    return type | {spelled(field, naming): value_of(field, naming) for field in fields}


def in_sdk(field: FieldDescriptor) -> bool:
    """Whether strict parsing checks the field."""
    return not options(field).beyond_sdk and not options(field).unchecked


class Event(NamedTuple):
    """An event that contains a certain value.

    Attributes:
        value: the event.
        path: the path of the contained value.
        strict: whether strict parsing checks the contained value.

    """

    value: Any
    path: str
    strict: bool


def around(message: Descriptor, value: Any, naming: str) -> Event:
    """Builds an event that contains a value of the message."""
    path = ""
    fields = _way_to(message)
    for field in fields:
        container = parent(field)
        if field.name == "entries":
            continue
        if shape(container) == "list":
            value, path = [value], f"[0]{path}"
        elif container.name.endswith("MapEntry"):
            value, path = {"name": value}, f".name{path}"
        elif shape(container) == "object":
            value = value_for(container, naming) | {spelled(field, naming): value}
            path = f".{spelled(field, naming)}{path}"
    return Event(value, f"${path}", all(map(in_sdk, fields)))


@cache
def _way_to(message: Descriptor) -> tuple[FieldDescriptor, ...]:
    """The fields from a message up to the event, all of them in the SDK if possible."""
    ways: dict[Descriptor, tuple[FieldDescriptor, ...]] = {EVENT: ()}
    for allowed in (in_sdk, lambda field: True):
        waiting = list(ways)
        for container in waiting:
            for field in filter(allowed, container.fields):
                if field.message_type and field.message_type not in ways:
                    ways[field.message_type] = (field, *ways[container])
                    waiting.append(field.message_type)
    return ways[message]
