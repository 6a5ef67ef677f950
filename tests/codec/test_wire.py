"""Protobuf from any serializer to JSON: valid messages are converted, and other bytes are an error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from openresponses_grpc import (
    EventError,
    IncompleteEventError,
    InvalidProtobufError,
    json_to_protobuf,
    protobuf_to_json,
    to_json,
)
from openresponses_grpc.codec._schema import NAMINGS
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from .any_json import damaged, objects, values
from .expected_json import NoJSONError, object_of
from .generate import any_object
from .json_values import parse
from .shapes import EVENT
from .wire import rewritten

serialized = any_object.map(json_to_protobuf)


def outcome(data: bytes) -> bytes | type[EventError]:
    try:
        return protobuf_to_json(data)
    except EventError as error:
        return type(error)


def protobuf_outcome(data: bytes) -> bytes | type[EventError]:
    """The outcome for the bytes that protobuf's own library parses and reserializes."""
    try:
        event = OpenResponsesStreamEvent.FromString(data)
    except DecodeError:
        return InvalidProtobufError
    return outcome(event.SerializeToString(deterministic=True))


@given(serialized.flatmap(lambda data: rewritten(data, EVENT)))
def test_reordered_and_repeated_fields_convert_like_protobuf(data: bytes) -> None:
    assert outcome(data) == protobuf_outcome(data)


@given(serialized, st.data())
def test_changed_bytes_convert_like_protobuf(data: bytes, draw: st.DataObject) -> None:
    start = draw.draw(st.integers(0, len(data)))
    stop = start + draw.draw(st.integers(0, 3))
    changed = data[:start] + draw.draw(st.binary(max_size=3)) + data[stop:]
    assert outcome(changed) == protobuf_outcome(changed)


def json_text_fields(message: Any) -> Iterator[tuple[Any, str]]:
    """Yields each message in a message with its fields for JSON text."""
    for field in message.DESCRIPTOR.fields:
        if field.name in ("extra_json", "json") or (field.name.endswith("_json") and message.HasField(field.name)):
            yield message, field.name
    for field, value in message.ListFields():
        if field.message_type:
            for one in value if field.is_repeated else [value]:
                yield from json_text_fields(one)


def with_order(value: Any) -> Any:
    """Converts objects to lists of pairs, so that comparisons include the order of properties."""
    if isinstance(value, dict):
        return [(name, with_order(one)) for name, one in value.items()]
    return [with_order(one) for one in value] if isinstance(value, list) else value


@given(any_object, st.data())
def test_json_combines_fields_and_json_text(text: str, draw: st.DataObject) -> None:
    event = OpenResponsesStreamEvent.FromString(json_to_protobuf(text))
    for message, field in draw.draw(st.lists(st.sampled_from(list(json_text_fields(event))), max_size=2)):
        setattr(message, field, draw.draw(st.one_of(objects(values), values, damaged(objects(values)))))
    for naming in NAMINGS:
        try:
            expected = with_order(object_of(event, naming))
        except NoJSONError:
            expected = IncompleteEventError
        try:
            json = to_json(event, naming=naming)
            written = with_order(parse(json))
            assert not {*json} & {*b"\r\n"}
        except IncompleteEventError:
            written = IncompleteEventError
        assert written == expected
