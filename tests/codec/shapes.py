"""The JSON mapping of the contract, derived from the descriptors independently of the codec."""

from __future__ import annotations

from functools import cache
from typing import Any, Final, Literal

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from openresponses_grpc.v1 import annotations_pb2
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from .json_values import Number, is_unicode

EVENT: Final[Descriptor] = OpenResponsesStreamEvent.DESCRIPTOR

Shape = Literal["object", "union", "list", "map"]


@cache
def messages() -> tuple[Descriptor, ...]:
    """Every message that an event can contain."""
    found: dict[Descriptor, None] = {}
    waiting = [EVENT]
    while waiting:
        message = waiting.pop()
        if message not in found:
            found[message] = None
            waiting += [field.message_type for field in message.fields if field.message_type]
    return tuple(found)


@cache
def shape(message: Descriptor) -> Shape:
    if [oneof.name for oneof in message.oneofs] == ["kind"]:
        return "union"
    repeated = [field.name for field in message.fields if field.is_repeated]
    return "list" if repeated == ["items"] else "map" if repeated == ["entries"] else "object"


@cache
def options(field: FieldDescriptor) -> annotations_pb2.PropertyOptions:
    extension: annotations_pb2.PropertyOptions = field.GetOptions().Extensions[annotations_pb2.property]
    return extension


@cache
def literal(message: Descriptor) -> str:
    """The `type` of the message's JSON object; empty if it is not fixed."""
    return message.GetOptions().Extensions[annotations_pb2.object].type


@cache
def properties(message: Descriptor) -> tuple[FieldDescriptor, ...]:
    """The fields of properties, in the order of serialization."""
    fields = sorted(message.fields, key=lambda field: field.number)
    return tuple(field for field in fields if field.name != "extra_json")


@cache
def members(union: Descriptor) -> tuple[FieldDescriptor, ...]:
    return tuple(field for field in union.fields if field.name != "unrecognized")


def element(message: Descriptor) -> FieldDescriptor:
    """The field of a list's elements, or of a map's values."""
    if shape(message) == "list":
        return message.fields_by_name["items"]
    return inner(message.fields_by_name["entries"]).fields_by_name["value"]


def inner(field: FieldDescriptor) -> Descriptor:
    """The message type of the field."""
    assert field.message_type
    return field.message_type


def parent(field: FieldDescriptor) -> Descriptor:
    """The message that declares the field."""
    assert field.containing_type
    return field.containing_type


@cache
def snake(field: FieldDescriptor) -> str:
    return options(field).name or field.name


@cache
def camel(field: FieldDescriptor) -> str:
    first, *words = snake(field).split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in words)


def spelled(field: FieldDescriptor, naming: str) -> str:
    return snake(field) if naming == "snake_case" else camel(field)


@cache
def _named(message: Descriptor) -> dict[str, list[FieldDescriptor]]:
    """The fields of an object by the names of their properties, in either spelling."""
    fields: dict[str, list[FieldDescriptor]] = {}
    for field in properties(message):
        for name in {snake(field), camel(field)}:
            fields.setdefault(name, []).append(field)
    return fields


def property_of(message: Descriptor, value: dict[str, Any], name: str) -> FieldDescriptor | None:
    """The field of a property name; None for a camelCase name next to its snake_case one."""
    for field in _named(message).get(name, ()):
        if name == snake(field) or snake(field) not in value:
            return field
    return None


def member_of(union: Descriptor, value: Any) -> FieldDescriptor | None:
    """The member for a JSON value; None for `unrecognized`."""
    for field in members(union):
        of_object = field.message_type is not None and shape(field.message_type) == "object"
        if of_object and isinstance(value, dict):
            if value.get("type") == literal(inner(field)) or not ("type" in value or literal(inner(field))):
                return field
        elif holds(field, value):
            return field
    return None


def holds(field: FieldDescriptor, value: Any) -> bool:
    """Whether the field can hold a value. `null` never sets a field, even one of JSON text."""
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return isinstance(value, Number) and value.fits
    if field.type == FieldDescriptor.TYPE_BOOL:
        return isinstance(value, bool)
    if options(field).json_text:
        return options(field).json_text == annotations_pb2.JSON_TEXT_VALUE or isinstance(value, dict)
    if field.type == FieldDescriptor.TYPE_STRING:
        return isinstance(value, str) and is_unicode(value)
    message = inner(field)
    match shape(message):
        case "object":
            return isinstance(value, dict)
        case "list":
            return isinstance(value, list) and all(holds(element(message), one) for one in value)
        case "map":
            return isinstance(value, dict) and all(
                is_unicode(name) and holds(element(message), one) for name, one in value.items()
            )
    return True
