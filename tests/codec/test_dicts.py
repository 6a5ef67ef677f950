"""`from_dict` and `to_dict` match `from_json` and `to_json` with the standard library's `json` in between."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given

from openresponses_grpc import EventError, EventShapeError, IncompleteEventError, from_dict, from_json, to_dict, to_json
from openresponses_grpc.codec._schema import NAMINGS

from ..support.events import DOCUMENTED, GENERATING_JSON
from .generate import any_object
from .json_values import parse
from .respell import respell


@given(any_object.filter(lambda text: len(text) < 4000 and "e400" not in text.lower()))
def test_dicts_match_their_json(text: str) -> None:
    value = json.loads(text)
    event = from_dict(value)
    for naming in NAMINGS:
        written = to_dict(event, naming=naming)
        assert written == json.loads(to_json(event, naming=naming))
        assert parse(json.dumps(written)) == respell(parse(json.dumps(value)), naming)


@pytest.mark.parametrize("text", DOCUMENTED)
def test_documented_events(text: bytes) -> None:
    properties = json.loads(text)
    assert from_dict(properties, strict=True) == from_json(text)
    assert to_dict(from_json(text), strict=True) == properties


TABLE: list[tuple[str, dict[Any, Any], str]] = [
    ("a name that is not a string", {1: 2}, "$"),
    ("a value without JSON", {"type": "x", "y": {1, 2}}, "$.y"),
    ("bytes", {"type": b"x"}, "$.type"),
    ("NaN", {"type": "x", "y": math.nan}, "$.y"),
    ("an infinite number", {**json.loads(GENERATING_JSON), "outputIndex": -math.inf}, "$.outputIndex"),
]


@pytest.mark.parametrize("properties, path", [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_error_locates_value_without_json(properties: dict[Any, Any], path: str) -> None:
    with pytest.raises(EventError) as caught:
        from_dict(properties)
    assert caught.value.path == path


def test_rejects_recursive_dict() -> None:
    endless: dict[str, Any] = {"type": "x"}
    endless["self"] = endless
    with pytest.raises(EventShapeError) as caught:
        from_dict(endless)
    assert caught.value.path == "$.self"


def test_to_dict_rejects_integer_beyond_pythons_limit() -> None:
    event = from_json('{"type":"x","y":%s}' % ("9" * 5000))
    assert to_json(event).count(b"9") == 5000
    with pytest.raises(IncompleteEventError, match="Python cannot represent"):
        to_dict(event)


def test_integral_numbers_are_int_and_others_float() -> None:
    properties = to_dict(from_json('{"type":"response.output_text.delta","output_index":1.0,"x":1.50,"y":2}'))
    assert [type(properties[name]) for name in ("outputIndex", "x", "y")] == [int, float, int]
