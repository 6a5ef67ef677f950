"""Reads an event's JSON property by property: any event, and what is wrong with one.

The usual events never come here: the parsers compiled in `codec` read them in one go.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

import msgspec

from openresponses.v1.events_pb2 import OpenResponsesStreamEvent

from .codec import TYPE_PROPERTY, Contract, EventCodec, Property, decode_properties
from .errors import EventError, EventShapeError, InvalidJSONError, UnknownEventTypeError

encode_json: Final = msgspec.json.Encoder().encode
_decode_string: Final = msgspec.json.Decoder(str).decode


class _Typed(msgspec.Struct):
    """Any JSON object with a string `type`."""

    type: str


_decode_typed: Final = msgspec.json.Decoder(_Typed).decode

_KINDS_BY_FIRST_BYTE: Final = {
    b'"': "a string",
    b"{": "an object",
    b"[": "an array",
    b"t": "a boolean",
    b"f": "a boolean",
    b"n": "null",
}


def read_event(data: bytes, compiled: Contract, strict: bool) -> OpenResponsesStreamEvent:
    """Reads any event, and finds out what is wrong with it; `Contract.decode` is the fast way for the usual ones."""
    text = text_of(data)
    type_name = type_of(data)
    try:
        codec = compiled.by_type.get(type_name)
        if codec is None:
            problem = f"no message has the event type {type_name[:100]!r}; without strict the event is carried as it is"
            raise UnknownEventTypeError("$.type", problem)
        return _read_properties(decode_properties(data), codec)
    except EventError:
        if strict:
            raise
        event = OpenResponsesStreamEvent()
        event.unrecognized.type = type_name
        event.unrecognized.json = text
        return event


def text_of(data: bytes) -> str:
    """UTF-8 as text; raises InvalidJSONError."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InvalidJSONError("$", f"not UTF-8: {error.reason} at byte {error.start}") from None


def type_of(data: bytes | str) -> str:
    """The `type` of an event's JSON, all of which is checked to be JSON; raises InvalidJSONError."""
    try:
        try:
            return _decode_typed(data).type
        except msgspec.ValidationError:  # another shape, or text after it: say which
            raw = decode_properties(data).get(TYPE_PROPERTY)
    except msgspec.ValidationError:
        raise InvalidJSONError("$", "expected a JSON object") from None
    except msgspec.DecodeError as error:
        raise InvalidJSONError("$", f"not JSON: {str(error).removeprefix('JSON is malformed: ')}") from None
    except RecursionError:
        raise InvalidJSONError("$", "nested too deeply") from None
    if raw is None:
        raise InvalidJSONError("$.type", "required property is missing")
    kind = _kind(bytes(raw))
    if kind != "a string":
        raise InvalidJSONError("$.type", f"expected a string, got {kind}")
    return _decode_string(raw)


def _read_properties(properties: dict[str, msgspec.Raw], codec: EventCodec) -> OpenResponsesStreamEvent:
    del properties[TYPE_PROPERTY]
    event = OpenResponsesStreamEvent()
    message = getattr(event, codec.arm)
    message.SetInParent()
    for property in codec.properties:
        raw = properties.pop(property.name, None)
        if property.other_name != property.name and property.other_name in properties:
            if raw is None:
                problem = f"required property is missing, but there is {property.other_name}: is the naming right?"
            else:
                problem = f"the property is there a second time, as {property.other_name}"
            raise EventShapeError(path(property.name), problem)
        if raw is None:
            raise EventShapeError(path(property.name), "required property is missing")
        setattr(message, property.field, _value(bytes(raw), property))
    if properties:
        members = (encode_json(name).decode() + ":" + bytes(raw).decode() for name, raw in properties.items())
        event.extra_json = "{" + ",".join(members) + "}"
    return event


def _value(raw: bytes, property: Property) -> Any:
    kind = _kind(raw)
    if not kind.endswith(property.kind.name):
        raise EventShapeError(path(property.name), f"expected a {property.kind.name}, got {kind}")
    if property.kind.python_type is str:
        return _decode_string(raw)
    if property.kind.python_type is bool:
        return raw == b"true"
    number = float(raw)
    if math.isinf(number):
        raise EventShapeError(path(property.name), "the number is outside the range of a double")
    return number


def _kind(raw: bytes) -> str:
    return _KINDS_BY_FIRST_BYTE.get(raw[:1], "a number")


def path(name: str) -> str:
    """The JSONPath of a property (RFC 9535); a name that is no plain word stands in brackets."""
    return f"$.{name}" if name.isidentifier() else f"$[{json.dumps(name)}]"
