"""The bridge against fixed files that it had no part in: what each holds is in vectors/README.md."""

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

every_vector = pytest.mark.parametrize("name", VECTORS)
both_namings = pytest.mark.parametrize("naming", NAMINGS)


def binary(name: str) -> bytes:
    return bytes.fromhex(VECTORS[name]["hex"])


def written(name: str, naming: Naming) -> bytes:
    vector = VECTORS[name]
    return vector.get(f"{naming}Written", vector[naming]).encode()


@every_vector
@both_namings
def test_the_json_is_read_as_the_message(name: str, naming: Naming) -> None:
    assert json_to_protobuf(VECTORS[name][naming]) == binary(name)
    assert from_json(VECTORS[name][naming]).SerializeToString(deterministic=True) == binary(name)


@every_vector
@both_namings
def test_the_message_is_written_as_the_json(name: str, naming: Naming) -> None:
    assert protobuf_to_json(binary(name), naming=naming) == written(name, naming)
    assert to_json(OpenResponsesStreamEvent.FromString(binary(name)), naming=naming) == written(name, naming)


@every_vector
@both_namings
def test_the_json_of_one_naming_is_that_of_the_other_respelled(name: str, naming: Naming) -> None:
    for read in NAMINGS:
        assert parse(written(name, naming)) == respell(parse(VECTORS[name][read]), naming)


@every_vector
def test_the_text_format_is_the_message(name: str) -> None:
    parsed = text_format.Parse(VECTORS[name]["text"], OpenResponsesStreamEvent())
    assert parsed.SerializeToString(deterministic=True) == binary(name)
    again = text_format.Parse(text_format.MessageToString(parsed), OpenResponsesStreamEvent())
    assert again.SerializeToString(deterministic=True) == binary(name)


@both_namings
@pytest.mark.parametrize("format", FORMATS)
def test_a_stream_of_all_vectors_goes_through_each_format(format: str, naming: Naming) -> None:
    encode = partial(protobuf_to_json, naming=naming)
    writer = FORMATS[format].writer(encode)
    stream = b"".join(writer.write(map(binary, VECTORS))) + writer.close()
    read = list(read_events(FORMATS[format].reader(json_to_protobuf), [stream]))
    assert list(map(encode, read)) == [written(name, naming) for name in VECTORS]


def test_every_category_has_a_vector() -> None:
    assert len(VECTORS) > 70
    events = [OpenResponsesStreamEvent.FromString(binary(name)) for name in VECTORS]
    members = {event.WhichOneof("kind") for event in events}
    assert {"unrecognized", "output_text_delta", "completed", "mcp_call_arguments_done"} <= members
