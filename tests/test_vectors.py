"""The codec against the test vectors, which were made without it. vectors/README.md describes them."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from google.protobuf import text_format

from openresponses_grpc import from_json, json_to_protobuf, protobuf_to_json, to_json
from openresponses_grpc.codec._schema import NAMINGS, Naming
from openresponses_grpc.framing import FORMATS, read_events
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from .codec.json_values import parse
from .codec.respell import respell

VECTORS: dict[str, dict[str, str]] = {
    path.stem: json.loads(path.read_text()) for path in sorted(Path(__file__).with_name("vectors").glob("*.json"))
}

each_vector = pytest.mark.parametrize("name", VECTORS)
each_naming = pytest.mark.parametrize("naming", NAMINGS)


def binary(name: str) -> bytes:
    return bytes.fromhex(VECTORS[name]["hex"])


def written(name: str, naming: Naming) -> bytes:
    vector = VECTORS[name]
    return vector.get(f"{naming}Written", vector[naming]).encode()


@each_vector
@each_naming
def test_parses_json_to_the_message(name: str, naming: Naming) -> None:
    assert json_to_protobuf(VECTORS[name][naming]) == binary(name)
    assert from_json(VECTORS[name][naming]).SerializeToString(deterministic=True) == binary(name)


@each_vector
@each_naming
def test_serializes_message_to_json(name: str, naming: Naming) -> None:
    assert protobuf_to_json(binary(name), naming=naming) == written(name, naming)
    assert to_json(OpenResponsesStreamEvent.FromString(binary(name)), naming=naming) == written(name, naming)


@each_vector
@each_naming
def test_namings_differ_only_in_spelling(name: str, naming: Naming) -> None:
    for read in NAMINGS:
        assert parse(written(name, naming)) == respell(parse(VECTORS[name][read]), naming)


@each_vector
def test_text_format_equals_the_message(name: str) -> None:
    parsed = text_format.Parse(VECTORS[name]["text"], OpenResponsesStreamEvent())
    assert parsed.SerializeToString(deterministic=True) == binary(name)
    again = text_format.Parse(text_format.MessageToString(parsed), OpenResponsesStreamEvent())
    assert again.SerializeToString(deterministic=True) == binary(name)


@each_naming
@pytest.mark.parametrize("format", FORMATS)
def test_stream_of_all_vectors_round_trips_in_each_format(format: str, naming: Naming) -> None:
    encode = partial(protobuf_to_json, naming=naming)
    writer = FORMATS[format].writer(encode)
    stream = b"".join(writer.write(map(binary, VECTORS))) + writer.close()
    read = list(read_events(FORMATS[format].reader(json_to_protobuf), [stream]))
    assert list(map(encode, read)) == [written(name, naming) for name in VECTORS]


def test_vectors_cover_every_category() -> None:
    assert len(VECTORS) > 70
    events = [OpenResponsesStreamEvent.FromString(binary(name)) for name in VECTORS]
    members = {event.WhichOneof("kind") for event in events}
    assert {"unrecognized", "output_text_delta", "completed", "mcp_call_arguments_done"} <= members
