"""The contract and vectors stay compatible with the last release, in released/: stored events remain decodable."""

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
    """The message in the current contract; empty if it was removed."""
    copy = DescriptorProto()
    for message in messages():
        if message.name == name:
            message.CopyToProto(copy)
    return copy


def wire_properties(message: DescriptorProto, field: FieldDescriptorProto) -> tuple[object, ...]:
    """The properties of a field that other versions rely on."""
    oneof = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else ""
    return field.name, field.number, field.type, field.type_name, field.label, oneof


@pytest.mark.parametrize("vector", VECTORS)
def test_released_vectors_do_not_change(vector: str) -> None:
    """test_vectors then checks that the codec decodes it, and `make interop` the other languages."""
    content = Path(__file__).with_name("vectors").joinpath(vector).read_bytes()
    assert hashlib.sha256(content).hexdigest() == VECTORS[vector]


@pytest.mark.parametrize("name", RELEASED)
def test_released_messages_keep_their_fields_and_options(name: str) -> None:
    """New fields are allowed: a property moves from `extra_json`, or a type from `unrecognized`, to a field."""
    message, now = RELEASED[name], current(name)
    assert {wire_properties(message, field) for field in message.field} <= {
        wire_properties(now, field) for field in now.field
    }
    assert now.options == message.options
    names = {field.name: field.options for field in now.field}
    assert all(names[field.name] == field.options for field in message.field if field.name.endswith("_json"))
