"""Round trips preserve any JSON object except the spelling of known properties, and set the expected fields."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from openresponses_grpc import from_json, json_to_protobuf, protobuf_to_json, to_json
from openresponses_grpc.codec._schema import NAMINGS
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from .generate import any_object
from .json_values import LARGEST_INTEGER, Number, parse
from .respell import respell
from .set_fields import check_union


@given(any_object)
def test_round_trip_only_respells_known_properties(text: str) -> None:
    for naming in NAMINGS:
        written = to_json(from_json(text), naming=naming)
        assert parse(written) == respell(parse(text), naming)
        assert b"\n" not in written
        assert b"\r" not in written


@given(any_object)
def test_sets_exactly_the_fields_of_valid_properties(text: str) -> None:
    check_union(from_json(text), text.strip())


@given(any_object)
def test_bytes_equal_deterministic_serialization(text: str) -> None:
    data = json_to_protobuf(text)
    assert data == json_to_protobuf(text.encode())
    assert data == OpenResponsesStreamEvent.FromString(data).SerializeToString(deterministic=True)


@given(any_object)
def test_output_round_trips_byte_for_byte(text: str) -> None:
    for naming in NAMINGS:
        written = protobuf_to_json(json_to_protobuf(text), naming=naming)
        assert protobuf_to_json(json_to_protobuf(written), naming=naming) == written


def changes_when_printed(value: Any) -> bool:
    """Whether a value contains a number that changes when JavaScript prints it: -0, or digits beyond 2^53."""
    if isinstance(value, Number):
        number = float(value.token)
        return str(number) == "-0.0" or (value.fits and abs(number) > LARGEST_INTEGER)
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(map(changes_when_printed, inside))


@given(any_object.filter(lambda text: not changes_when_printed(parse(text))))
def test_output_parses_to_the_same_message(text: str) -> None:
    data = json_to_protobuf(text)
    for naming in NAMINGS:
        assert json_to_protobuf(protobuf_to_json(data, naming=naming)) == data
