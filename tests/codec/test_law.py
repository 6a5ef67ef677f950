"""The law: what comes out is what went in, with known properties respelled. And the one rule, in between."""

from __future__ import annotations

from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from openresponses_grpc import from_json, json_to_protobuf, protobuf_to_json, to_json
from openresponses_grpc.codec._schema import Naming
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from .any_json import objects, values
from .generate import events
from .json_values import LARGEST_INTEGER, Number, parse
from .one_rule import check_union
from .respell import respell

NAMINGS: tuple[Naming, ...] = get_args(Naming)

any_object = st.one_of(events, events, events, events, objects(values))
"""Any JSON object; most of them are events."""


@given(any_object)
def test_the_output_is_the_input_respelled(text: str) -> None:
    for naming in NAMINGS:
        written = to_json(from_json(text), naming=naming)
        assert parse(written) == respell(parse(text), naming)
        assert b"\n" not in written
        assert b"\r" not in written


@given(any_object)
def test_a_field_is_set_if_and_only_if_its_property_is_there_and_fits(text: str) -> None:
    check_union(from_json(text), text.strip())


@given(any_object)
def test_the_bytes_are_those_of_deterministic_serialization(text: str) -> None:
    data = json_to_protobuf(text)
    assert data == json_to_protobuf(text.encode())
    assert data == OpenResponsesStreamEvent.FromString(data).SerializeToString(deterministic=True)


@given(any_object)
def test_the_output_comes_back_to_the_byte(text: str) -> None:
    for naming in NAMINGS:
        written = protobuf_to_json(json_to_protobuf(text), naming=naming)
        assert protobuf_to_json(json_to_protobuf(written), naming=naming) == written


def changes_when_printed(value: Any) -> bool:
    """Whether a value has a number that JavaScript prints as another token kind: `0` for -0, digits beyond 2^53."""
    if isinstance(value, Number):
        number = float(value.token)
        return str(number) == "-0.0" or (value.fits and abs(number) > LARGEST_INTEGER)
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(map(changes_when_printed, inside))


@given(any_object.filter(lambda text: not changes_when_printed(parse(text))))
def test_the_output_is_read_as_the_same_bytes(text: str) -> None:
    data = json_to_protobuf(text)
    for naming in NAMINGS:
        assert json_to_protobuf(protobuf_to_json(data, naming=naming)) == data
