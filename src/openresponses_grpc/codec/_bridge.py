"""Converts events between the API's JSON and protobuf. Pure: no I/O.

Numbers mean what ECMAScript's `JSON.parse` makes of them, IEEE doubles, and are written as `JSON.stringify` does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from google.protobuf.message import Message

from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from ..errors import EventError, EventShapeError, IncompleteEventError, InvalidJSONError
from ._check import check_message
from ._decode import ODD, Decoders
from ._encode import delimited
from ._parsing import as_bytes, parse_event
from ._reader import ODD as READER_ODD
from ._reader import Reader, utf8
from ._scalars import MINUS, SIZES, has_negative_zero
from ._scan import child_path
from ._schema import NAMINGS, Naming, message_of
from ._strict import check_strictly

_EVENT: Final = message_of(OpenResponsesStreamEvent.DESCRIPTOR)
_reader: Final = Reader(_EVENT)
_decode: Final = {naming: Decoders(naming).of[_EVENT] for naming in NAMINGS}
_decode_deep: Final = {naming: Decoders(naming, deep=True).of[_EVENT] for naming in NAMINGS}
_BRACE: Final = ord("{")


def json_to_protobuf(
    data: str | bytes, *, naming: Naming | None = None, strict: bool = False, sse_type: str | None = None
) -> bytes:
    """Converts an event's JSON to a serialized `OpenResponsesStreamEvent`.

    Every JSON object has such a form: a property that its message does not name, or whose value the field cannot hold,
    goes into `extra_json`; an object whose `type` the contract does not have becomes `unrecognized`.

    Args:
        data: one JSON object; bytes are UTF-8 without a byte order mark.
        naming: the spelling of the properties that `strict` accepts. None accepts either, as reading without `strict`
            always does.
        strict: reject what OpenRouter's SDK rejects.
        sse_type: the `type` of an unrecognized event whose JSON has none, such as the event name in SSE.

    Raises:
        InvalidJSONError: `data` is not one JSON object, or is nested more than 100 levels deep.
        UnknownEventTypeError: with `strict`, the SDK has no event of this type.
        EventShapeError: with `strict`, a property is missing, of another JSON type, or not one of the allowed values.

    """
    if strict or naming is not None:
        return _read_as_asked(data, naming, strict, sse_type)
    if isinstance(data, str):
        data = utf8(data)
    # Written here, as this is called for each event: calls would take a tenth of the time.
    try:
        if MINUS not in data or not has_negative_zero(data):
            decode, members = _reader.usual
            struct = decode(data)
            tag, encode = members[type(struct)]
            event = encode(struct)
            return tag + SIZES[len(event)] + event
    except READER_ODD:
        pass
    return _reader.read(data, None, sse_type)


def protobuf_to_json(data: bytes, *, naming: Naming = "camelCase", strict: bool = False) -> bytes:
    """Converts a serialized `OpenResponsesStreamEvent` to one line of compact JSON.

    `type` comes first, then the other properties in the order of the contract, then those of `extra_json`.

    Args:
        data: the event's bytes.
        naming: how properties of the contract are spelled.
        strict: reject what OpenRouter's SDK would reject.

    Raises:
        InvalidProtobufError: `data` is not an event's bytes.
        IncompleteEventError: the event has no JSON: nothing is set in a union, a number is NaN, the JSON text in
            `extra_json` or `unrecognized` does not fit, or a field is not known to this version.
        UnknownEventTypeError, EventShapeError: with `strict`, as `json_to_protobuf` raises them.

    """
    try:
        text = _decode[naming](data, 0, len(data))
    except KeyError:
        raise _unknown_naming(naming) from None
    except ODD:
        text = _decode_again(data, naming)
    except (AttributeError, TypeError):
        if isinstance(data, bytes):
            raise
        return protobuf_to_json(as_bytes(data), naming=naming, strict=strict)
    if text[0] != _BRACE:
        raise IncompleteEventError("$", "the unrecognized event is not a JSON object")
    if strict:
        check_strictly(text.decode(), _EVENT, naming)
    return text


def from_json(data: str | bytes, *, naming: Naming | None = None, strict: bool = False) -> OpenResponsesStreamEvent:
    """Reads an event from its JSON; the arguments and the errors are those of `json_to_protobuf`."""
    return OpenResponsesStreamEvent.FromString(json_to_protobuf(data, naming=naming, strict=strict))


def to_json(event: Message, *, naming: Naming = "camelCase", strict: bool = False) -> bytes:
    """Writes an event as one line of compact JSON; otherwise as `protobuf_to_json`.

    Args:
        event: an `OpenResponsesStreamEvent`, or the message of one of its events.
        naming: how properties of the contract are spelled.
        strict: reject what OpenRouter's SDK would reject.

    Raises:
        TypeError: `event` is another message, or not a message.

    """
    return protobuf_to_json(serialize(event), naming=naming, strict=strict)


def from_dict(
    properties: Mapping[str, Any], *, naming: Naming | None = None, strict: bool = False
) -> OpenResponsesStreamEvent:
    """Reads an event from a mapping, such as `json.loads` makes; otherwise as `from_json`."""
    texts = []
    for name, value in properties.items():
        if not isinstance(name, str):
            raise InvalidJSONError("$", f"the name of a property is a string, not {name!r}")
        try:
            texts.append(f"{json.dumps(name)}:{json.dumps(value, allow_nan=False, separators=(',', ':'))}")
        except (ValueError, TypeError, RecursionError) as error:
            raise EventShapeError(child_path("$", name), f"not a JSON value: {error}") from None
    return from_json(f"{{{','.join(texts)}}}", naming=naming, strict=strict)


def to_dict(event: Message, *, naming: Naming = "camelCase", strict: bool = False) -> dict[str, Any]:
    """Writes an event as the `dict` that `json.loads` makes of its JSON; otherwise as `to_json`."""
    try:
        properties: dict[str, Any] = json.loads(to_json(event, naming=naming, strict=strict))
    except (ValueError, RecursionError) as error:
        if isinstance(error, EventError):
            raise
        raise IncompleteEventError("$", f"Python cannot hold the event: {error}") from None
    return properties


def event_type(event: OpenResponsesStreamEvent) -> str | None:
    """The `type` of an event, such as `response.output_text.delta`; None where the event has none."""
    member = event.WhichOneof("kind")
    types = (field.message.type for field in _EVENT.fields if field.name == member)
    return next(types, None) or event.unrecognized.type or None


def serialize(event: Message) -> bytes:
    """The bytes of an `OpenResponsesStreamEvent`, or of one with the message of one of its events; raises TypeError."""
    if isinstance(event, OpenResponsesStreamEvent):
        return event.SerializeToString()
    if isinstance(event, Message):
        message = message_of(event.DESCRIPTOR)
        member = _EVENT.by_type.get(message.type or "")
        if member and member.message is message:
            return delimited(member.tag, event.SerializeToString())
    raise TypeError(f"expected an OpenResponsesStreamEvent or one of its events, got {type(event).__name__}")


def _read_as_asked(data: str | bytes, naming: Naming | None, strict: bool, sse_type: str | None) -> bytes:
    if naming is not None and naming not in NAMINGS:
        raise _unknown_naming(naming)
    if not strict:
        return json_to_protobuf(data, sse_type=sse_type)
    event = _reader.read(data, naming)
    check_strictly(utf8(data).decode(), _EVENT, naming)
    return event


def _decode_again(data: bytes, naming: Naming) -> bytes:
    """Finds what is wrong with an event's bytes, or puts fields that are out of order or there twice right."""
    event = parse_event(data)
    check_message(event, _EVENT, naming)
    data = event.SerializeToString(deterministic=True)
    return _decode_deep[naming](data, 0, len(data))


def _unknown_naming(naming: object) -> ValueError:
    return ValueError(f"unknown naming {naming!r}: expected one of {', '.join(NAMINGS)}")
