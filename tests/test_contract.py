"""The contract: field numbers never change, and messages have the shapes that the codec relies on."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto

from openresponses_grpc.codec import _raw_messages as raw_messages
from openresponses_grpc.v1 import stream_service_pb2
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from .codec.shapes import EVENT, camel, element, inner, literal, members, messages, options, properties, shape, snake
from .contract_numbers import changed, files, numbers, recorded

EXTRA = 15
JSON_TYPES = {FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_BOOL}
OBJECTS = [message for message in messages() if "extra_json" in message.fields_by_name]
UNIONS = [message for message in messages() if shape(message) == "union"]
CONTAINERS = [message for message in messages() if shape(message) in ("list", "map")]
ENTRIES = [inner(field) for message in CONTAINERS for field in message.fields if field.name == "entries"]
FIELDS = [field for message in messages() for field in message.fields]

each_object = pytest.mark.parametrize("message", OBJECTS, ids=lambda message: message.name)
each_union = pytest.mark.parametrize("message", UNIONS, ids=lambda message: message.name)


def test_recorded_numbers_and_types_do_not_change() -> None:
    assert changed() == []


def test_all_numbers_are_recorded() -> None:
    assert recorded() == numbers(), "run: .venv/bin/python -m tests.contract_numbers"


def test_every_message_has_a_shape() -> None:
    rest = set(messages()) - {*OBJECTS, *UNIONS, *CONTAINERS, *ENTRIES}
    assert [message.name for message in rest] == ["Unrecognized"]


def test_directory_matches_package() -> None:
    assert {(file.package, file.name.rpartition("/")[0]) for file in files()} == {
        ("openresponses_grpc.v1", "openresponses_grpc/v1")
    }


@each_object
def test_objects_have_optional_fields_and_extra_json(message: Descriptor) -> None:
    *fields, extra = message.fields
    assert (extra.name, extra.number, extra.type) == ("extra_json", EXTRA, FieldDescriptor.TYPE_STRING)
    assert all(field.has_presence and not field.is_repeated for field in message.fields)
    assert all(field.message_type or field.type in JSON_TYPES for field in fields)
    assert all(field.containing_oneof is None or len(field.containing_oneof.fields) == 1 for field in fields)


@each_object
def test_field_numbers_of_objects_skip_only_that_of_extra_json(message: Descriptor) -> None:
    expected = (number for number in itertools.count(1) if number != EXTRA)
    assert [field.number for field in message.fields[:-1]] == list(itertools.islice(expected, len(message.fields) - 1))


@each_object
def test_property_names_are_unique(message: Descriptor) -> None:
    names = [name for field in properties(message) for name in {snake(field), camel(field)}]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z][a-z0-9]*(_[a-z0-9]+)*", snake(field)) for field in properties(message))
    assert "type" not in names or not literal(message)


@each_object
def test_fields_are_named_after_their_properties(message: Descriptor) -> None:
    for field in properties(message):
        if options(field).json_text:
            assert (field.name, field.type) == (f"{snake(field)}_json", FieldDescriptor.TYPE_STRING)
        else:
            assert field.name == {"async": "is_async"}.get(snake(field), snake(field))
            assert not field.name.endswith("_json")


@each_union
def test_unions_are_one_oneof_with_unrecognized(message: Descriptor) -> None:
    assert [oneof.name for oneof in message.oneofs] == ["kind"]
    assert list(message.oneofs[0].fields) == list(message.fields)
    assert message.fields_by_number[EXTRA].name == "unrecognized"
    assert inner(message.fields_by_number[EXTRA]).name == "Unrecognized"


@each_union
def test_each_json_value_matches_one_union_member(message: Descriptor) -> None:
    of_objects = [member for member in members(message) if member.message_type and member.message_type in OBJECTS]
    literals = [literal(inner(member)) for member in of_objects]
    assert len(set(literals)) == len(literals)
    others = [
        shape(member.message_type) if member.message_type else member.type
        for member in members(message)
        if member not in of_objects
    ]
    assert len(set(others)) == len(others)
    assert set(others) <= {*JSON_TYPES, "list"}


@each_union
def test_union_members_are_named_after_their_types(message: Descriptor) -> None:
    for member in members(message):
        if member.message_type and (type := literal(member.message_type)):
            assert member.name == re.sub(r"\W", "_", type.removeprefix("response.") if message is EVENT else type)


def test_event_members_have_distinct_messages() -> None:
    assert all(literal(inner(member)) for member in members(EVENT))
    assert len({member.message_type for member in members(EVENT)}) == len(members(EVENT)) >= 59


def test_objects_with_a_literal_type_are_union_members() -> None:
    outside = [field for field in FIELDS if field.message_type and field.containing_type not in UNIONS]
    assert [field.full_name for field in outside if literal(inner(field))] == []


@pytest.mark.parametrize("message", CONTAINERS, ids=lambda message: message.name)
def test_lists_have_items_and_maps_have_entries(message: Descriptor) -> None:
    (field,) = message.fields
    assert (field.name, field.number, field.is_repeated) == (
        "items" if shape(message) == "list" else "entries",
        1,
        True,
    )
    assert message.name.endswith(shape(message).capitalize())
    if shape(message) == "map":
        name, value = inner(field).fields
        assert (name.name, name.number, name.type) == ("name", 1, FieldDescriptor.TYPE_STRING)
        assert (value.name, value.number) == ("value", 2)
        assert inner(field).name == f"{message.name}Entry"
        assert name.has_presence
        assert value.has_presence
    assert element(message).message_type or element(message).type in JSON_TYPES


@pytest.mark.parametrize("field", [field for field in FIELDS if field.has_options], ids=lambda field: field.full_name)
def test_field_options_are_consistent(field: FieldDescriptor) -> None:
    option = options(field)
    if option.beyond_sdk or option.unchecked:
        assert not (option.required or option.allowed), "strict reading does not check the property"
    assert not option.allowed or field.type == FieldDescriptor.TYPE_STRING
    assert len(set(option.allowed)) == len(option.allowed)
    if field.containing_type in UNIONS:
        assert not (option.name or option.required or option.nullable or option.json_text or option.unchecked)


def test_event_reserves_numbers() -> None:
    copy = DescriptorProto()
    EVENT.CopyToProto(copy)
    assert [(one.start, one.end) for one in copy.reserved_range] == [(16, 17), (1000, 2000)]


def test_bytes_of_documented_event_do_not_change() -> None:
    event = OpenResponsesStreamEvent()
    message = event.image_generation_call_generating
    message.item_id, message.output_index, message.sequence_number = "<id>", 7977.54, 0
    assert event.SerializeToString().hex() == "0a180a043c69643e11d7a3703d8a29bf40190000000000000000"


@pytest.mark.parametrize("name", ["PublishRequest", "SubscribeResponse"])
def test_messages_with_raw_events_are_wire_compatible(name: str) -> None:
    event = OpenResponsesStreamEvent()
    event.unrecognized.json = "{}"
    message: Any = getattr(stream_service_pb2, name)
    generated = message(events=[event, event], first_offset=7, end_of_stream=True, epoch=9)
    twin = getattr(raw_messages, name).FromString(generated.SerializeToString())
    assert list(twin.events) == [event.SerializeToString()] * 2
    assert twin.SerializeToString() == generated.SerializeToString()
