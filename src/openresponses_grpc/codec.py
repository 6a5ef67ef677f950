"""Compiles the event messages of the contract, read from their descriptors, into functions to and from JSON.

No event and no field is named here: the arms of the oneof `OpenResponsesStreamEvent.event` are the events, the option
`(event_type)` is an event's JSON type, and a field's JSON name is the one protobuf gives it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple, NoReturn, Union, get_args

import msgspec
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from openresponses.v1.annotations_pb2 import event_type
from openresponses.v1.events_pb2 import OpenResponsesStreamEvent

from .ecmascript import WHOLE_NUMBERS, json_number
from .errors import IncompleteEventError

Naming = Literal["camelCase", "snake_case"]
"""How properties are spelled: `camelCase` by the SDK, `snake_case` by the API."""

NAMINGS: Final[tuple[Naming, ...]] = get_args(Naming)

decode_properties: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
"""Parses a JSON object into its properties' JSON; the last one of a name counts."""

EVENT_ONEOF: Final = "event"
TYPE_PROPERTY: Final = "type"


class Kind(NamedTuple):
    """A JSON type that a field can have."""

    name: str
    python_type: type


KINDS: Final[Mapping[int, Kind]] = {
    FieldDescriptor.TYPE_STRING: Kind("string", str),
    FieldDescriptor.TYPE_DOUBLE: Kind("number", float),
    FieldDescriptor.TYPE_BOOL: Kind("boolean", bool),
}


class Property(NamedTuple):
    """A property of an event: its name in one naming, in the other, and the field that holds it."""

    name: str
    other_name: str
    field: str
    kind: Kind


class EventCodec:
    """One event type in one naming, compiled.

    Attributes:
        type: the value of the JSON property `type`.
        arm, number, descriptor: the event's field in the oneof of `OpenResponsesStreamEvent`.
        message_class: the event's message class.
        properties: its properties, in the order in which they are written; all are required.
        struct: the msgspec type that parses and prints the event's JSON.
        to_event: makes an `OpenResponsesStreamEvent` of a `struct` and the JSON that it was parsed from.
        to_struct: makes a `struct` of an event's message; raises IncompleteEventError.

    """

    def __init__(self, arm: FieldDescriptor, message: Descriptor, naming: Naming) -> None:
        self.type: str = message.GetOptions().Extensions[event_type]
        self.arm = arm.name
        self.number = arm.number
        self.descriptor = arm
        self.message_class: type[Message] = GetMessageClass(message)
        self.properties = tuple(_property(field, naming) for field in message.fields)
        self.struct: type[msgspec.Struct] = msgspec.defstruct(
            message.name,
            [(property.field, property.kind.python_type) for property in self.properties],
            tag_field=TYPE_PROPERTY,
            tag=self.type,
            rename={property.field: property.name for property in self.properties},
            forbid_unknown_fields=True,
            gc=False,
        )
        self.to_event: Callable[[msgspec.Struct, str | bytes], OpenResponsesStreamEvent] = self._compile_to_event()
        self.to_struct: Callable[[Any], msgspec.Struct] = self._compile_to_struct()

    def _compile_to_event(self) -> Callable[..., OpenResponsesStreamEvent]:
        lines = [
            "def to_event(struct, data):",
            "    event = OpenResponsesStreamEvent()",
            f"    message = event.{self.arm}",
        ]
        # Plain assignments cost half of keyword arguments, and less than a loop over setattr.
        for name, _, field, kind in self.properties:
            or_zero = f" or zero(data, '{name}')" if kind.python_type is float else ""
            lines.append(f"    message.{field} = struct.{field}{or_zero}")
        if not self.properties:
            lines.append("    message.SetInParent()")
        lines.append("    return event")
        return define(lines, OpenResponsesStreamEvent=OpenResponsesStreamEvent, zero=_signed_zero)

    def _compile_to_struct(self) -> Callable[[Any], msgspec.Struct]:
        # Presence is asked for only where a value is empty or zero: anything else is there. The fractions that are not
        # sent through `number` are those that JSON has as they are.
        values = [f"value_{index}" for index in range(len(self.properties))]
        lines = ["def to_struct(message):"]
        for value, (_, _, field, kind) in zip(values, self.properties, strict=True):
            if kind.python_type is float:
                lines += [
                    f"    double = message.{field}",
                    f"    {value} = whole(double)",
                    f"    if {value} is None:",
                    f"        {value} = double if 1 < double < 1e9 and double % 1 else number('{field}', double)",
                    f"    elif not {value} and not has_field(message, '{field}'):",
                ]
            else:
                lines += [
                    f"    {value} = message.{field}",
                    f"    if not {value} and not has_field(message, '{field}'):",
                ]
            lines.append(f"        missing('{field}')")
        lines.append(f"    return Struct({', '.join(values)})")
        return define(
            lines,
            Struct=self.struct,
            whole=WHOLE_NUMBERS.get,
            number=self.number_of,
            has_field=self.message_class.HasField,
            missing=self.missing,
        )

    def missing(self, field: str) -> NoReturn:
        """Raises that a field is unset."""
        raise IncompleteEventError(self._path(field), f"the field {field} is unset; {self.type} requires it")

    def number_of(self, field: str, value: float) -> int | float | msgspec.Raw:
        """What `json_number` makes of a field's value; raises IncompleteEventError where it is no JSON number."""
        try:
            return json_number(value)
        except ValueError as error:
            raise IncompleteEventError(self._path(field), str(error)) from None

    def _path(self, field: str) -> str:
        return next(f"$.{property.name}" for property in self.properties if property.field == field)


class Contract:
    """All events of the contract in one naming, compiled.

    Attributes:
        by_type, by_arm, by_message, by_struct: the codec of an event, by what one has of it.
        decode: parses the JSON of any modelled event into the `struct` of its codec.
        to_event: the function of that name of a codec, by its `struct`.
        to_struct: the function of that name of a codec, by the descriptor of its arm.

    """

    def __init__(self, naming: Naming) -> None:
        arms = OpenResponsesStreamEvent.DESCRIPTOR.oneofs_by_name[EVENT_ONEOF].fields
        codecs = [
            EventCodec(arm, arm.message_type, naming)
            for arm in arms
            if arm.message_type and arm.message_type.GetOptions().HasExtension(event_type)
        ]
        self.by_type = {codec.type: codec for codec in codecs}
        self.by_arm: Mapping[str | None, EventCodec] = {codec.arm: codec for codec in codecs}
        self.by_message = {codec.message_class: codec for codec in codecs}
        self.by_struct = {codec.struct: codec for codec in codecs}
        self.to_event = {codec.struct: codec.to_event for codec in codecs}
        self.to_struct = {codec.descriptor: codec.to_struct for codec in codecs}
        self.decode = msgspec.json.Decoder(Union[tuple(self.to_event)]).decode  # noqa: UP007


def contract(naming: Naming) -> Contract:
    """The compiled contract for a naming; raises ValueError where there is no such naming."""
    try:
        return CONTRACTS[naming]
    except KeyError:
        raise ValueError(f"naming {naming!r} is none of {', '.join(NAMINGS)}") from None


def _signed_zero(data: str | bytes, name: str) -> float:
    """The zero that a property of an event's JSON is: msgspec makes 0 of the integer -0, which ECMAScript keeps."""
    minus = "-" if isinstance(data, str) else b"-"
    return float(bytes(decode_properties(data)[name])) if minus in data else 0.0  # type: ignore[operator]


def _property(field: FieldDescriptor, naming: Naming) -> Property:
    kind = KINDS.get(field.type)
    if kind is None or field.is_repeated or not field.has_presence:
        raise TypeError(f"{field.full_name}: a field of an event is an optional string, double or bool")
    names = (field.json_name, field.name)
    name, other_name = names if naming == "camelCase" else names[::-1]
    return Property(name, other_name, field.name, kind)


def define(lines: list[str], **names: object) -> Callable[..., Any]:
    """Compiles the source of one function, as dataclasses does for `__init__`; `names` are its globals."""
    exec("\n".join(lines), names)  # noqa: S102 - every name in it is a field of the contract
    return names[lines[0].removeprefix("def ").partition("(")[0]]  # type: ignore[return-value]


CONTRACTS: Final[Mapping[Naming, Contract]] = {naming: Contract(naming) for naming in NAMINGS}
