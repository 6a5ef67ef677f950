"""Converts events between JSON and protobuf. Pure: no I/O.

Numbers are IEEE doubles, parsed like ECMAScript's `JSON.parse` and written like `JSON.stringify`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from google.protobuf.message import Message

from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from ..errors import EventError, EventShapeError, IncompleteEventError, InvalidJSONError
from ._check import check_message
from ._decode import FALLBACK_ERRORS, Decoders
from ._encode import delimited
from ._parsing import as_bytes, parse_event
from ._reader import FALLBACK_ERRORS as READER_FALLBACK_ERRORS
from ._reader import Reader, utf8
from ._scalars import MINUS, SIZES, has_negative_zero
from ._scan import child_path
from ._schema import NAMINGS, Naming, message_of
from ._strict import check_strict

_EVENT: Final = message_of(OpenResponsesStreamEvent.DESCRIPTOR)
_reader: Final = Reader(_EVENT)
_decode: Final = {naming: Decoders(naming).of[_EVENT] for naming in NAMINGS}
_decode_deep: Final = {naming: Decoders(naming, deep=True).of[_EVENT] for naming in NAMINGS}
_BRACE: Final = ord("{")


def json_to_protobuf(
    data: str | bytes, *, naming: Naming | None = None, strict: bool = False, sse_type: str | None = None
) -> bytes:
    """Converts an event's JSON to a serialized `OpenResponsesStreamEvent`.

    The conversion accepts any JSON object and loses nothing. Properties without a field, and values that their field
    cannot hold, go into `extra_json`. An object of an unknown `type` becomes `unrecognized`.

    Args:
        data: a JSON object; bytes must be UTF-8 without a byte order mark.
        naming: spelling of properties that `strict` requires; None accepts both. Without `strict`, both are accepted.
        strict: reject what OpenRouter's SDK rejects.
        sse_type: `type` of an unrecognized event whose JSON has none, such as the SSE event name.

    Returns:
        The serialized event.

    Raises:
        InvalidJSONError: `data` is not a single JSON object, or is nested more than 100 levels deep.
        UnknownEventTypeError: with `strict`, the SDK does not define this event type.
        EventShapeError: with `strict`, a property is missing, has the wrong JSON type, or is not an allowed value.

    """
    if strict or naming is not None:
        return _read_with_options(data, naming, strict, sse_type)
    if isinstance(data, str):
        data = utf8(data)
    # The fast path is inlined: this runs for each event, and function calls would take a tenth of the time.
    try:
        if MINUS not in data or not has_negative_zero(data):
            decode, members = _reader.fast_path
            struct = decode(data)
            tag, encode = members[type(struct)]
            event = encode(struct)
            return tag + SIZES[len(event)] + event
    except READER_FALLBACK_ERRORS:
        pass
    return _reader.read(data, None, sse_type)


def protobuf_to_json(data: bytes, *, naming: Naming = "camelCase", strict: bool = False) -> bytes:
    """Converts a serialized `OpenResponsesStreamEvent` to one line of compact JSON.

    `type` comes first, then the properties in the order of the contract, then those of `extra_json`.

    Args:
        data: the serialized event.
        naming: spelling of the contract's properties.
        strict: reject what OpenRouter's SDK rejects.

    Returns:
        The JSON in UTF-8, without a line end.

    Raises:
        InvalidProtobufError: `data` is not a serialized event.
        IncompleteEventError: the event cannot be written as JSON: a union has no member set, a number is NaN or
            infinite, `extra_json` or `unrecognized` holds invalid JSON text, or this version does not know a field.
        UnknownEventTypeError: with `strict`, the SDK does not define this event type.
        EventShapeError: with `strict`, a property is missing, has the wrong JSON type, or is not an allowed value.

    """
    try:
        text = _decode[naming](data, 0, len(data))
    except KeyError:
        raise _unknown_naming(naming) from None
    except FALLBACK_ERRORS:
        text = _decode_slow_path(data, naming)
    except (AttributeError, TypeError):
        if isinstance(data, bytes):
            raise
        return protobuf_to_json(as_bytes(data), naming=naming, strict=strict)
    if text[0] != _BRACE:
        raise IncompleteEventError("$", "the unrecognized event is not a JSON object")
    if strict:
        check_strict(text.decode(), _EVENT, naming)
    return text


def from_json(data: str | bytes, *, naming: Naming | None = None, strict: bool = False) -> OpenResponsesStreamEvent:
    """Parses an event from JSON.

    The conversion accepts any JSON object and loses nothing. Properties without a field, and values that their field
    cannot hold, go into `extra_json`. An object of an unknown `type` becomes `unrecognized`.

    Args:
        data: a JSON object; bytes must be UTF-8 without a byte order mark.
        naming: spelling of properties that `strict` requires; None accepts both. Without `strict`, both are accepted.
        strict: reject what OpenRouter's SDK rejects.

    Returns:
        The event's message.

    Raises:
        InvalidJSONError: `data` is not a single JSON object, or is nested more than 100 levels deep.
        UnknownEventTypeError: with `strict`, the SDK does not define this event type.
        EventShapeError: with `strict`, a property is missing, has the wrong JSON type, or is not an allowed value.

    """
    return OpenResponsesStreamEvent.FromString(json_to_protobuf(data, naming=naming, strict=strict))


def to_json(event: Message, *, naming: Naming = "camelCase", strict: bool = False) -> bytes:
    """Writes an event as one line of compact JSON.

    `type` comes first, then the properties in the order of the contract, then those of `extra_json`.

    Args:
        event: an `OpenResponsesStreamEvent`, or the message of one of its members.
        naming: spelling of the contract's properties.
        strict: reject what OpenRouter's SDK rejects.

    Returns:
        The JSON in UTF-8, without a line end.

    Raises:
        TypeError: `event` is another message, or not a message.
        IncompleteEventError: the event cannot be written as JSON: a union has no member set, a number is NaN or
            infinite, `extra_json` or `unrecognized` holds invalid JSON text, or this version does not know a field.
        UnknownEventTypeError: with `strict`, the SDK does not define this event type.
        EventShapeError: with `strict`, a property is missing, has the wrong JSON type, or is not an allowed value.

    """
    return protobuf_to_json(serialize(event), naming=naming, strict=strict)


def from_dict(
    properties: Mapping[str, Any], *, naming: Naming | None = None, strict: bool = False
) -> OpenResponsesStreamEvent:
    """Converts a mapping, such as the result of `json.loads`, to an event. Otherwise like `from_json`.

    Args:
        properties: the event's properties, with values that `json.dumps` accepts.
        naming: as for `from_json`.
        strict: as for `from_json`.

    Returns:
        The event's message.

    Raises:
        InvalidJSONError: a key of `properties` is not a string, or the values are nested more than 100 levels deep.
        EventShapeError: a value cannot be written as JSON; with `strict`, also as for `from_json`.
        UnknownEventTypeError: with `strict`, the SDK does not define this event type.

    """
    texts = []
    for name, value in properties.items():
        if not isinstance(name, str):
            raise InvalidJSONError("$", f"property names must be strings, not {name!r}")
        try:
            texts.append(f"{json.dumps(name)}:{json.dumps(value, allow_nan=False, separators=(',', ':'))}")
        except (ValueError, TypeError, RecursionError) as error:
            raise EventShapeError(child_path("$", name), f"not a JSON value: {error}") from None
    return from_json(f"{{{','.join(texts)}}}", naming=naming, strict=strict)


def to_dict(event: Message, *, naming: Naming = "camelCase", strict: bool = False) -> dict[str, Any]:
    """Converts an event to a `dict`, the result of `json.loads` on its JSON. Otherwise like `to_json`.

    Args:
        event: an `OpenResponsesStreamEvent`, or the message of one of its members.
        naming: as for `to_json`.
        strict: as for `to_json`.

    Returns:
        The event's properties.

    Raises:
        IncompleteEventError: as for `to_json`, or Python cannot represent a value, such as an integer with more digits
            than `sys.get_int_max_str_digits()`.
        TypeError: as for `to_json`; so are the errors of `strict`.

    """
    try:
        properties: dict[str, Any] = json.loads(to_json(event, naming=naming, strict=strict))
    except (ValueError, RecursionError) as error:
        if isinstance(error, EventError):
            raise
        raise IncompleteEventError("$", f"Python cannot represent the event: {error}") from None
    return properties


def event_type(event: OpenResponsesStreamEvent) -> str | None:
    """Returns the `type` of an event, such as `response.output_text.delta`, or None if it has no type."""
    member = event.WhichOneof("kind")
    types = (field.message.type for field in _EVENT.fields if field.name == member)
    return next(types, None) or event.unrecognized.type or None


def serialize(event: Message) -> bytes:
    """Serializes an `OpenResponsesStreamEvent`, or wraps and serializes a message of one of its members.

    Raises:
        TypeError: `event` is another message, or not a message.

    """
    if isinstance(event, OpenResponsesStreamEvent):
        return event.SerializeToString()
    if isinstance(event, Message):
        message = message_of(event.DESCRIPTOR)
        member = _EVENT.by_type.get(message.type or "")
        if member and member.message is message:
            return delimited(member.tag, event.SerializeToString())
    raise TypeError(f"expected an OpenResponsesStreamEvent or one of its members, got {type(event).__name__}")


def _read_with_options(data: str | bytes, naming: Naming | None, strict: bool, sse_type: str | None) -> bytes:
    if naming is not None and naming not in NAMINGS:
        raise _unknown_naming(naming)
    if not strict:
        return json_to_protobuf(data, sse_type=sse_type)
    event = _reader.read(data, naming)
    check_strict(utf8(data).decode(), _EVENT, naming)
    return event


def _decode_slow_path(data: bytes, naming: Naming) -> bytes:
    """Raises the error of an invalid event. Decodes a valid one, whose fields may be repeated or out of order."""
    event = parse_event(data)
    check_message(event, _EVENT, naming)
    data = event.SerializeToString(deterministic=True)
    return _decode_deep[naming](data, 0, len(data))


def _unknown_naming(naming: object) -> ValueError:
    return ValueError(f"unknown naming {naming!r}: expected one of {', '.join(NAMINGS)}")
