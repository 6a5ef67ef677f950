"""The contract as plain records, built from the descriptors. No event, object or property is hard-coded here."""

from __future__ import annotations

from enum import Enum, auto
from functools import cache, cached_property
from typing import Any, Final, Literal, get_args

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from openresponses_grpc.v1 import annotations_pb2

Naming = Literal["camelCase", "snake_case"]
"""Spelling of properties: `camelCase` as in the SDK, or `snake_case` as in the API."""

NAMINGS: Final[tuple[Naming, ...]] = get_args(Naming)

EXTRA: Final = 15
"""Field number of `extra_json` in objects and of `unrecognized` in unions."""

TYPE: Final = "type"


class Shape(Enum):
    """The JSON that a message represents."""

    OBJECT = auto()
    UNION = auto()  # any JSON value
    LIST = auto()
    MAP = auto()


class Kind(Enum):
    """The JSON that a field holds."""

    STRING = "a string"
    NUMBER = "a number"
    BOOLEAN = "a boolean"
    TEXT = "JSON text"
    MESSAGE = "a message"


_KINDS: Final = {
    FieldDescriptor.TYPE_STRING: Kind.STRING,
    FieldDescriptor.TYPE_DOUBLE: Kind.NUMBER,
    FieldDescriptor.TYPE_BOOL: Kind.BOOLEAN,
    FieldDescriptor.TYPE_MESSAGE: Kind.MESSAGE,
}
_WIRE_TYPES: Final = {Kind.NUMBER: 1, Kind.BOOLEAN: 0}


class Field:
    """A property of an object, a member of a union, or the element of a list or a map.

    Attributes:
        name: name of the field.
        number: number of the field.
        names: name of the property in each naming.
        kind: the JSON that the field holds.
        tag: field number and wire type, as encoded.
        object_only: whether JSON text must be an object.
        options: the field's `(property)` option.

    """

    def __init__(self, descriptor: FieldDescriptor) -> None:
        self.name: str = descriptor.name
        self.number: int = descriptor.number
        self.options: annotations_pb2.PropertyOptions = descriptor.GetOptions().Extensions[annotations_pb2.property]
        snake = self.options.name or descriptor.name
        self.names: dict[Naming, str] = {"camelCase": _camel(snake), "snake_case": snake}
        text = self.options.json_text != annotations_pb2.JSON_TEXT_UNSPECIFIED
        self.kind = Kind.TEXT if text else _KINDS[descriptor.type]
        self.object_only = self.options.json_text == annotations_pb2.JSON_TEXT_OBJECT
        self.tag = varint(self.number << 3 | _WIRE_TYPES.get(self.kind, 2))
        self._message_type = descriptor.message_type

    @cached_property
    def message(self) -> Message:
        """The schema of the field's message; only for `Kind.MESSAGE`."""
        return message_of(self._message_type)


class Message:
    """A message of the contract.

    Attributes:
        name: name of the message.
        shape: the JSON that it represents.
        type: literal value of the JSON property `type`; None if the message implies no type.
        fields: the properties, the members, or the single element, by ascending number, without `extra_json` and
            `unrecognized`.
        by_name: the properties, by their names in both namings.

    """

    def __init__(self, descriptor: Descriptor) -> None:
        self.name: str = descriptor.name
        self.type: str | None = descriptor.GetOptions().Extensions[annotations_pb2.object].type or None
        if descriptor.oneofs and descriptor.oneofs[0].name == "kind":
            self.shape = Shape.UNION
        elif repeated := [field for field in descriptor.fields if field.is_repeated]:
            self.shape = Shape.MAP if repeated[0].name == "entries" else Shape.LIST
        else:
            self.shape = Shape.OBJECT
        fields = [field for field in descriptor.fields if self.shape is not Shape.OBJECT or field.number != EXTRA]
        if self.shape is Shape.UNION:
            fields = [field for field in fields if field.number != EXTRA]
        self.fields = tuple(Field(field) for field in sorted(fields, key=lambda field: field.number))
        if self.shape is Shape.MAP and self.element.kind not in (Kind.STRING, Kind.MESSAGE):
            raise TypeError(f"{descriptor.full_name}: map values must be strings or messages")
        self.by_name = {name: field for field in self.fields for name in field.names.values()}

    @property
    def element(self) -> Field:
        """The element of a list, or the value of a map."""
        (field,) = self.fields
        return field if self.shape is Shape.LIST else field.message.fields[1]

    @cached_property
    def by_type(self) -> dict[str, Field]:
        """The members of a union that imply a `type`, by that type."""
        return {field.message.type: field for field in self.fields if field.kind is Kind.MESSAGE and field.message.type}

    @cached_property
    def by_kind(self) -> dict[Shape | Kind, Field]:
        """The other members of a union, by shape or kind."""
        return {
            field.message.shape if field.kind is Kind.MESSAGE else field.kind: field
            for field in self.fields
            if field not in self.by_type.values()
        }


@cache
def message_of(descriptor: Any) -> Message:
    """Returns the schema of a message."""
    return Message(descriptor)


def varint(number: int) -> bytes:
    """Encodes a number as a protobuf varint: seven bits per byte, lowest first, with the top bit as continuation."""
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)
    return bytes(data)


def _camel(name: str) -> str:
    """Converts a name to camelCase, like protobuf's JSON names."""
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)
