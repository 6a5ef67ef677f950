"""The contract and the vectors of the last release, which released/ holds: what others have stored decodes for ever."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorSet

from .contract_numbers import messages

FOLDER = Path(__file__).with_name("released")
VECTORS = {name: digest for digest, name in map(str.split, (FOLDER / "vectors.sha256").read_text().splitlines())}
RELEASED: dict[str, DescriptorProto] = {
    message.name: message
    for file in FileDescriptorSet.FromString((FOLDER / "contract.binpb").read_bytes()).file
    if file.package == "openresponses_grpc.v1"
    for message in file.message_type
}


def current(name: str) -> DescriptorProto:
    """A message as the contract has it; empty if it is gone."""
    copy = DescriptorProto()
    for message in messages():
        if message.name == name:
            message.CopyToProto(copy)
    return copy


def on_the_wire(message: DescriptorProto, field: FieldDescriptorProto) -> tuple[object, ...]:
    """What a reader of another version relies on."""
    oneof = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else ""
    return field.name, field.number, field.type, field.type_name, field.label, oneof


@pytest.mark.parametrize("vector", VECTORS)
def test_a_released_vector_stays_as_it_is(vector: str) -> None:
    """And so test_vectors holds the bridge, and `make interop` the other languages, to decoding it."""
    content = Path(__file__).with_name("vectors").joinpath(vector).read_bytes()
    assert hashlib.sha256(content).hexdigest() == VECTORS[vector]


@pytest.mark.parametrize("name", RELEASED)
def test_a_released_message_keeps_its_fields_and_its_options(name: str) -> None:
    """It may gain fields: a property moves from `extra_json`, a type from `unrecognized`, to a field."""
    message, now = RELEASED[name], current(name)
    assert {on_the_wire(message, field) for field in message.field} <= {on_the_wire(now, field) for field in now.field}
    assert now.options == message.options
    names = {field.name: field.options for field in now.field}
    assert all(names[field.name] == field.options for field in message.field if field.name.endswith("_json"))
