"""The contract: what no change may change, and the shapes that the codec and every reader rely on."""

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
from .contract_numbers import changed, files, kept, numbers

EXTRA = 15
JSON_TYPES = {FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_BOOL}
OBJECTS = [message for message in messages() if "extra_json" in message.fields_by_name]
UNIONS = [message for message in messages() if shape(message) == "union"]
CONTAINERS = [message for message in messages() if shape(message) in ("list", "map")]
ENTRIES = [inner(field) for message in CONTAINERS for field in message.fields if field.name == "entries"]
FIELDS = [field for message in messages() for field in message.fields]

each_object = pytest.mark.parametrize("message", OBJECTS, ids=lambda message: message.name)
each_union = pytest.mark.parametrize("message", UNIONS, ids=lambda message: message.name)


def test_numbers_and_types_stay() -> None:
    assert changed() == []


def test_new_numbers_are_kept_from_now_on() -> None:
    assert kept() == numbers(), "run: .venv/bin/python -m tests.contract_numbers"


def test_every_message_has_a_shape() -> None:
    rest = set(messages()) - {*OBJECTS, *UNIONS, *CONTAINERS, *ENTRIES}
    assert [message.name for message in rest] == ["Unrecognized"]


def test_directory_and_package_are_the_same() -> None:
    assert {(file.package, file.name.rpartition("/")[0]) for file in files()} == {
        ("openresponses_grpc.v1", "openresponses_grpc/v1")
    }


@each_object
def test_an_object_has_optional_scalars_and_messages_and_extra_json(message: Descriptor) -> None:
    *fields, extra = message.fields
    assert (extra.name, extra.number, extra.type) == ("extra_json", EXTRA, FieldDescriptor.TYPE_STRING)
    assert all(field.has_presence and not field.is_repeated for field in message.fields)
    assert all(field.message_type or field.type in JSON_TYPES for field in fields)
    assert all(field.containing_oneof is None or len(field.containing_oneof.fields) == 1 for field in fields)


@each_object
def test_the_numbers_of_an_object_ascend_past_that_of_extra_json(message: Descriptor) -> None:
    expected = (number for number in itertools.count(1) if number != EXTRA)
    assert [field.number for field in message.fields[:-1]] == list(itertools.islice(expected, len(message.fields) - 1))


@each_object
def test_each_name_of_a_property_is_that_of_one_field(message: Descriptor) -> None:
    names = [name for field in properties(message) for name in {snake(field), camel(field)}]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z][a-z0-9]*(_[a-z0-9]+)*", snake(field)) for field in properties(message))
    assert "type" not in names or not literal(message)


@each_object
def test_a_field_is_named_like_its_property(message: Descriptor) -> None:
    for field in properties(message):
        if options(field).json_text:
            assert (field.name, field.type) == (f"{snake(field)}_json", FieldDescriptor.TYPE_STRING)
        else:
            assert field.name == {"async": "is_async"}.get(snake(field), snake(field))
            assert not field.name.endswith("_json")


@each_union
def test_a_union_is_one_oneof_with_unrecognized(message: Descriptor) -> None:
    assert [oneof.name for oneof in message.oneofs] == ["kind"]
    assert list(message.oneofs[0].fields) == list(message.fields)
    assert message.fields_by_number[EXTRA].name == "unrecognized"
    assert inner(message.fields_by_number[EXTRA]).name == "Unrecognized"


@each_union
def test_each_json_value_belongs_to_one_arm_of_a_union(message: Descriptor) -> None:
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
def test_an_arm_is_named_after_its_type(message: Descriptor) -> None:
    for member in members(message):
        if member.message_type and (type := literal(member.message_type)):
            assert member.name == re.sub(r"\W", "_", type.removeprefix("response.") if message is EVENT else type)


def test_the_messages_of_the_event_are_its_own() -> None:
    assert all(literal(inner(member)) for member in members(EVENT))
    assert len({member.message_type for member in members(EVENT)}) == len(members(EVENT)) >= 59


def test_an_object_with_a_literal_type_is_always_a_member() -> None:
    outside = [field for field in FIELDS if field.message_type and field.containing_type not in UNIONS]
    assert [field.full_name for field in outside if literal(inner(field))] == []


@pytest.mark.parametrize("message", CONTAINERS, ids=lambda message: message.name)
def test_a_list_has_items_and_a_map_has_entries_of_name_and_value(message: Descriptor) -> None:
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
def test_options_say_what_they_can_mean(field: FieldDescriptor) -> None:
    option = options(field)
    if option.beyond_sdk or option.unchecked:
        assert not (option.required or option.allowed), "strict reading does not check the property"
    assert not option.allowed or field.type == FieldDescriptor.TYPE_STRING
    assert len(set(option.allowed)) == len(option.allowed)
    if field.containing_type in UNIONS:
        assert not (option.name or option.required or option.nullable or option.json_text or option.unchecked)


def test_numbers_of_the_event_are_reserved_for_what_they_were_and_will_be() -> None:
    copy = DescriptorProto()
    EVENT.CopyToProto(copy)
    assert [(one.start, one.end) for one in copy.reserved_range] == [(16, 17), (1000, 2000)]


def test_the_documented_event_s_bytes_stay() -> None:
    event = OpenResponsesStreamEvent()
    message = event.image_generation_call_generating
    message.item_id, message.output_index, message.sequence_number = "<id>", 7977.54, 0
    assert event.SerializeToString().hex() == "0a180a043c69643e11d7a3703d8a29bf40190000000000000000"


@pytest.mark.parametrize("name", ["PublishRequest", "SubscribeResponse"])
def test_a_message_with_events_as_bytes_is_the_same_on_the_wire(name: str) -> None:
    event = OpenResponsesStreamEvent()
    event.unrecognized.json = "{}"
    message: Any = getattr(stream_service_pb2, name)
    generated = message(events=[event, event], first_offset=7, end_of_stream=True, epoch=9)
    twin = getattr(raw_messages, name).FromString(generated.SerializeToString())
    assert list(twin.events) == [event.SerializeToString()] * 2
    assert twin.SerializeToString() == generated.SerializeToString()
