"""The contract and the vectors of the last release, which released/ holds: what others have stored decodes for ever."""

import hashlib
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorSet

from .test_contract import EVENTS

RELEASED = Path(__file__).with_name("released")
VECTORS = {name: digest for digest, name in map(str.split, (RELEASED / "vectors.sha256").read_text().splitlines())}
MESSAGES: dict[str, DescriptorProto] = {
    message.name: message
    for file in FileDescriptorSet.FromString((RELEASED / "contract.binpb").read_bytes()).file
    if file.package == "openresponses.v1"
    for message in file.message_type
}
ARMS = {arm.name: arm.type_name.rpartition(".")[2] for arm in MESSAGES["OpenResponsesStreamEvent"].field}


@pytest.mark.parametrize("vector", VECTORS)
def test_a_released_vector_stays_as_it_is(vector: str) -> None:
    """And so test_vectors holds the bridge, and `make interop` the other languages, to decoding it."""
    content = Path(__file__).with_name("vectors").joinpath(vector).read_bytes()
    assert hashlib.sha256(content).hexdigest() == VECTORS[vector]


@pytest.mark.parametrize("arm", sorted(ARMS.keys() - {"unrecognized", "extra_json"}))
def test_a_released_event_keeps_its_fields_and_gains_none(arm: str) -> None:
    """An event with a field unset has no JSON form: one more field would take it from all that is stored."""
    released = [(field.name, field.number, field.type) for field in MESSAGES[ARMS[arm]].field]
    assert [(field.name, field.number, field.type) for field in EVENTS[arm].fields] == released
