"""The SDK's JSON and the contract's messages, one into the other. Pure: no I/O.

Numbers mean what ECMAScript's `JSON.parse` makes of them, IEEE doubles, and are written as `JSON.stringify` does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from openresponses.v1.events_pb2 import OpenResponsesStreamEvent

from .codec import (
    CONTRACTS,
    EVENT_ONEOF,
    TYPE_PROPERTY,
    Contract,
    EventCodec,
    Naming,
    contract,
    decode_properties,
)
from .errors import EventError, EventShapeError, IncompleteEventError, InvalidJSONError
from .parsing import encode_json, path, read_event, type_of

# Called on the class: on an event, a method's name is first sought among the fields.
_list_fields: Final[Callable[[Message], Sequence[tuple[FieldDescriptor, Any]]]] = OpenResponsesStreamEvent.ListFields

_TO_STRUCT: Final = {naming: compiled.to_struct for naming, compiled in CONTRACTS.items()}

_NO_EVENT: Final = "no event is set, or one that this version does not know"


def from_json(data: str | bytes, *, naming: Naming = "camelCase", strict: bool = False) -> OpenResponsesStreamEvent:
    """Reads one event from its JSON.

    An event of a type or of a shape that the contract does not model becomes an `UnrecognizedEvent` with the JSON text
    as it is. Properties that a modelled event's message does not name go into `extra_json`.

    Args:
        data: one JSON object; bytes are UTF-8 without a byte order mark.
        naming: how the properties are spelled, `camelCase` (the SDK) or `snake_case` (the API).
        strict: raise on an unknown type or shape instead of carrying it.

    Raises:
        InvalidJSONError: `data` is not one JSON object with a string `type`, or is nested too deeply for the parser.
        UnknownEventTypeError: with `strict`, no modelled event has this type.
        EventShapeError: with `strict`, a property of a modelled event is missing, of another JSON type, outside the
            range of a double, or there in both spellings.

    """
    compiled = CONTRACTS.get(naming) or contract(naming)
    try:
        struct = compiled.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return read_event(_utf8(data), compiled, strict)
    return compiled.to_event[type(struct)](struct, data)


def from_dict(
    properties: Mapping[str, Any], *, naming: Naming = "camelCase", strict: bool = False
) -> OpenResponsesStreamEvent:
    """Reads one event from a mapping of its properties, such as `json.loads` makes; otherwise as `from_json`."""
    texts = []
    for name, value in properties.items():
        if not isinstance(name, str):
            raise InvalidJSONError("$", f"a property's name is a string, not {name!r}")
        try:
            texts.append(f"{json.dumps(name)}:{json.dumps(value, ensure_ascii=False, allow_nan=False)}")
        except (ValueError, TypeError, RecursionError) as error:
            raise EventShapeError(path(name), f"no JSON value: {error}") from None
    return from_json(f"{{{','.join(texts)}}}", naming=naming, strict=strict)


def to_json(event: Message, *, naming: Naming = "camelCase") -> bytes:
    """Writes an event as one line of compact JSON: `type` first, then the properties in the order of the contract.

    An `UnrecognizedEvent` is its own JSON text, unchanged. The properties in `extra_json` come last, unchanged.

    Args:
        event: an `OpenResponsesStreamEvent` or the message of one of its events.
        naming: how the properties are spelled.

    Raises:
        IncompleteEventError: no event is set, a required field is unset or no JSON number, or the JSON text in
            `unrecognized` or `extra_json` does not fit.
        TypeError: `event` is another message or none.

    """
    try:
        # One field is set in it, and that is the arm of an event.
        ((field, message),) = _list_fields(event)
        to_struct = _TO_STRUCT[naming][field]
    except (KeyError, TypeError, ValueError):
        return _other_to_json(event, contract(naming))
    return encode_json(to_struct(message))


def to_encodable(event: OpenResponsesStreamEvent, compiled: Contract) -> msgspec.Struct | msgspec.Raw:
    """What msgspec encodes as an event's JSON: for `to_json`, and for those who encode many at once."""
    arm = event.WhichOneof(EVENT_ONEOF)
    codec = compiled.by_arm.get(arm)
    if arm is None or codec is None:
        return msgspec.Raw(_write_unrecognized(event, arm))
    struct = codec.to_struct(getattr(event, arm))
    if extra_json := event.extra_json:
        return msgspec.Raw(_with_extra(encode_json(struct), extra_json, codec))
    return struct


def to_dict(event: Message, *, naming: Naming = "camelCase") -> dict[str, Any]:
    """Writes an event as a `dict` of its properties, as `json.loads` would read what `to_json` writes."""
    try:
        properties: dict[str, Any] = json.loads(to_json(event, naming=naming))
    except (ValueError, RecursionError) as error:
        if isinstance(error, EventError):
            raise
        raise IncompleteEventError("$", f"has no Python form: {error}") from None
    return properties


def event_type_of(event: OpenResponsesStreamEvent) -> str:
    """The value of the JSON property `type` of an event; raises IncompleteEventError where no event is set."""
    arm = event.WhichOneof(EVENT_ONEOF)
    if arm is None:
        raise IncompleteEventError("$", _NO_EVENT)
    codec = contract("camelCase").by_arm.get(arm)
    return codec.type if codec else event.unrecognized.type


def _other_to_json(message: Message, compiled: Contract) -> bytes:
    """What `to_json` makes of anything but an event that has a codec and no further properties."""
    if type(message) is OpenResponsesStreamEvent:
        return encode_json(to_encodable(message, compiled))
    codec = compiled.by_message.get(type(message))
    if codec is None:
        raise TypeError(f"expected an OpenResponsesStreamEvent or one of its events, got {type(message).__name__}")
    return encode_json(codec.to_struct(message))


def _utf8(data: str | bytes) -> bytes:
    try:
        return data.encode() if isinstance(data, str) else bytes(data)
    except UnicodeEncodeError as error:
        raise InvalidJSONError("$", f"not Unicode text: {error.reason} at character {error.start}") from None


def _write_unrecognized(event: OpenResponsesStreamEvent, arm: str | None) -> bytes:
    if arm is None:
        raise IncompleteEventError("$", _NO_EVENT)
    unrecognized = event.unrecognized
    if event.HasField("extra_json"):
        raise IncompleteEventError("$.extra_json", "an unrecognized event has none: its own JSON is whole")
    try:
        type_name = type_of(unrecognized.json)
    except InvalidJSONError as error:
        raise IncompleteEventError("$", f"the unrecognized event's json is no event: {error}") from None
    if type_name != unrecognized.type:
        raise IncompleteEventError("$.type", f"is {type_name!r} in the json but {unrecognized.type!r} in the message")
    return unrecognized.json.encode()


def _with_extra(text: bytes, extra_json: str, codec: EventCodec) -> bytes:
    try:
        names = decode_properties(extra_json).keys()
    except (msgspec.DecodeError, RecursionError) as error:
        raise IncompleteEventError("$", f"extra_json is no JSON object: {error}") from None
    for name in (TYPE_PROPERTY, *(name for property in codec.properties for name in property[:2])):
        if name in names:
            raise IncompleteEventError(path(name), "the property is in extra_json too")
    extra = extra_json.encode().strip()[1:-1].strip()
    return b"%b,%b}" % (text[:-1], extra) if extra else text
