"""Protobuf to JSON, whoever wrote the bytes: what protobuf reads is written, and anything else is an error."""

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
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from .any_json import damaged, objects, values
from .json_values import parse
from .shapes import EVENT
from .test_law import NAMINGS, any_object
from .wire import rewritten
from .written import HasNoJSONError, object_of

serialized = any_object.map(json_to_protobuf)


def outcome(data: bytes) -> bytes | type[EventError]:
    try:
        return protobuf_to_json(data)
    except EventError as error:
        return type(error)


def outcome_for_protobuf(data: bytes) -> bytes | type[EventError]:
    """The same for bytes that protobuf's own parser has put in order."""
    try:
        event = OpenResponsesStreamEvent.FromString(data)
    except DecodeError:
        return InvalidProtobufError
    return outcome(event.SerializeToString(deterministic=True))


@given(serialized.flatmap(lambda data: rewritten(data, EVENT)))
def test_fields_in_any_order_and_doubled_mean_what_protobuf_says(data: bytes) -> None:
    assert outcome(data) == outcome_for_protobuf(data)


@given(serialized, st.data())
def test_changed_bytes_mean_what_protobuf_says(data: bytes, draw: st.DataObject) -> None:
    start = draw.draw(st.integers(0, len(data)))
    stop = start + draw.draw(st.integers(0, 3))
    changed = data[:start] + draw.draw(st.binary(max_size=3)) + data[stop:]
    assert outcome(changed) == outcome_for_protobuf(changed)


def places_of_json(message: Any) -> Iterator[tuple[Any, str]]:
    """The messages in a message with the fields in which they have JSON text, or could have."""
    for field in message.DESCRIPTOR.fields:
        if field.name in ("extra_json", "json") or (field.name.endswith("_json") and message.HasField(field.name)):
            yield message, field.name
    for field, value in message.ListFields():
        if field.message_type:
            for one in value if field.is_repeated else [value]:
                yield from places_of_json(one)


def in_order(value: Any) -> Any:
    """A value that is equal only to one with the same order of properties."""
    if isinstance(value, dict):
        return [(name, in_order(one)) for name, one in value.items()]
    return [in_order(one) for one in value] if isinstance(value, list) else value


@given(any_object, st.data())
def test_a_message_has_the_json_of_its_fields_and_of_its_json_texts(text: str, draw: st.DataObject) -> None:
    event = OpenResponsesStreamEvent.FromString(json_to_protobuf(text))
    for message, field in draw.draw(st.lists(st.sampled_from(list(places_of_json(event))), max_size=2)):
        setattr(message, field, draw.draw(st.one_of(objects(values), values, damaged(objects(values)))))
    for naming in NAMINGS:
        try:
            expected = in_order(object_of(event, naming))
        except HasNoJSONError:
            expected = IncompleteEventError
        try:
            json = to_json(event, naming=naming)
            written = in_order(parse(json))
            assert not {*json} & {*b"\r\n"}
        except IncompleteEventError:
            written = IncompleteEventError
        assert written == expected
