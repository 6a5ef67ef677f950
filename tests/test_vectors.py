"""The bridge against fixed files that it had no part in: what each holds is in vectors/README.md."""

import json
from pathlib import Path

import pytest
from google.protobuf import text_format

from openresponses.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc import from_json, to_json
from openresponses_grpc.codec import NAMINGS, Naming
from openresponses_grpc.framing import FORMATS, read_events

from .test_contract import EVENTS

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


def one_line(text: bytes) -> bytes:
    return text.translate(bytes.maketrans(b"\r\n", b"  "))


@every_vector
@both_namings
def test_the_json_is_read_as_the_message(name: str, naming: Naming) -> None:
    read = from_json(VECTORS[name][naming], naming=naming, strict=not name.startswith("unrecognized"))
    assert read.SerializeToString() == binary(name)


@every_vector
@both_namings
def test_the_message_is_written_as_the_json(name: str, naming: Naming) -> None:
    assert to_json(OpenResponsesStreamEvent.FromString(binary(name)), naming=naming) == written(name, naming)


@every_vector
def test_the_text_format_is_the_message(name: str) -> None:
    parsed = text_format.Parse(VECTORS[name]["text"], OpenResponsesStreamEvent())
    assert parsed.SerializeToString() == binary(name)
    again = text_format.Parse(text_format.MessageToString(parsed), OpenResponsesStreamEvent())
    assert again.SerializeToString() == binary(name)


@both_namings
@pytest.mark.parametrize("format", FORMATS)
def test_a_stream_of_all_vectors_goes_through_each_format(format: str, naming: Naming) -> None:
    writer = FORMATS[format].writer(naming)
    events = [OpenResponsesStreamEvent.FromString(binary(name)) for name in VECTORS]
    stream = b"".join(writer.write(events)) + writer.close()
    read = read_events(FORMATS[format].reader(naming, False), [stream])
    # Line breaks between the tokens of raw JSON do not survive formats that end events with them.
    assert [one_line(to_json(event, naming=naming)) for event in read] == [
        one_line(written(name, naming)) for name in VECTORS
    ]


def test_every_event_has_a_vector() -> None:
    events = [OpenResponsesStreamEvent.FromString(binary(name)) for name in VECTORS]
    assert {event.WhichOneof("event") for event in events} == {*EVENTS, "unrecognized"}
