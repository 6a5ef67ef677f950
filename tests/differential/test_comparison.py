"""The comparison finds differences, and distinguishes intended ones from others."""

from __future__ import annotations

import json

import pytest

from . import comparison
from .comparison import Comparison, Special
from .generate import generate
from .json_values import loads
from .schema import Events, read_events
from .texts import ORDER, compare_texts, nothing_lost
from .verdict import DifferenceError

SPECIAL = Special(frozenset({"metadata"}), frozenset({"schema"}), frozenset({"instructions"}))

EVENTS = {
    "$defs": {
        "Part": {
            "type": "object",
            "properties": {"type": {"const": "part"}, "text": {"type": ["string", "null"]}, "any": {}},
            "required": ["type", "text"],
        }
    },
    "anyOf": [
        {
            "type": "object",
            "properties": {
                "type": {"const": "one"},
                "part": {"$ref": "#/$defs/Part"},
                "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
            },
            "required": ["type", "part"],
        },
        {
            "type": "object",
            "properties": {"type": {"enum": ["two"]}, "numbers": {"type": "array", "items": {"type": "number"}}},
            "required": ["type"],
        },
    ],
}
"""A small schema with all features of the SDKs' schemas."""


@pytest.fixture
def events() -> Events:
    return read_events(EVENTS)


@pytest.mark.parametrize(
    ("ours", "theirs", "given", "kinds"),
    [
        ('{"aB":1}', '{"aB":1}', '{"a_b":1}', set()),
        ('{"aB":1.0}', '{"aB":1}', '{"a_b":1.0}', set()),
        ('{"a":1,"b":2}', '{"a":1}', '{"a":1,"b":2}', {comparison.UNKNOWN}),
        ('{"a_b":1,"aB":2}', '{"aB":1}', '{"aB":2,"a_b":1}', {comparison.BOTH_SPELLINGS, comparison.UNKNOWN}),
        ('{"a":9007199254740993}', '{"a":9007199254740992}', '{"a":9007199254740993}', {comparison.LARGE_INTEGER}),
        ('{"schema":{"a":1e400}}', '{"schema":{"a":null}}', '{"schema":{"a":1e400}}', {comparison.INFINITE}),
        ("{}", '{"result":null}', "{}", {comparison.RESULT}),
        ('{"metadata":{"__proto__":"a"}}', '{"metadata":{}}', '{"metadata":{"__proto__":"a"}}', {comparison.PROTO}),
        ('{"instructions":{"aB":1}}', '{"instructions":{"a_b":1}}', '{"instructions":{"a_b":1}}',
         {comparison.INSTRUCTIONS}),
    ],
)  # fmt: skip
def test_classifies_intended_differences(ours: str, theirs: str, given: str, kinds: set[str]) -> None:
    compared = Comparison(SPECIAL)
    compared.compare(loads(ours), loads(theirs), loads(given))
    assert compared.kinds == kinds


@pytest.mark.parametrize(
    ("ours", "theirs", "given"),
    [
        ('{"a":1}', '{"a":2}', '{"a":1}'),
        ('{"a":1}', '{"a":true}', '{"a":1}'),
        ('{"a":1}', '{"a":"1"}', '{"a":1}'),
        ('{"a":[1]}', '{"a":[1,1]}', '{"a":[1]}'),
        ("{}", '{"a":null}', "{}"),
        ("{}", '{"result":null}', '{"result":null}'),
        ('{"a":1,"b":2}', '{"a":1}', '{"a":1}'),
        ('{"metadata":{"a":"1","b":"2"}}', '{"metadata":{"a":"1"}}', '{"metadata":{"a":"1","b":"2"}}'),
        ('{"schema":{"a":{"b":1}}}', '{"schema":{"a":{}}}', '{"schema":{"a":{"b":1}}}'),
        ('{"instructions":{"a":1}}', '{"instructions":{"a":2}}', '{"instructions":{"a":1}}'),
    ],
)
def test_rejects_other_differences(ours: str, theirs: str, given: str) -> None:
    with pytest.raises(DifferenceError):
        Comparison(SPECIAL).compare(loads(ours), loads(theirs), loads(given))


@pytest.mark.parametrize(
    ("ours", "theirs", "canonical", "kinds"),
    [
        ('{"type":"message","id":"a"}', '{"id":"a","type":"message"}', True, set()),
        ('{"schema":{"a":1.0}}', '{"schema":{"a":1}}', False, set()),
        ('{"metadata":{"a":"","1":""}}', '{"metadata":{"1":"","a":""}}', True, {ORDER}),
    ],
)
def test_accepts_intended_differences_of_texts(ours: str, theirs: str, canonical: bool, kinds: set[str]) -> None:
    assert compare_texts(ours, theirs, canonical, SPECIAL) == kinds


@pytest.mark.parametrize(
    ("ours", "theirs", "canonical"),
    [
        ('{"a":1,"b":2}', '{"b":2,"a":1}', True),
        ('{"a":1.0}', '{"a":1}', False),
        ('{"a":"\\u0041"}', '{"a":"A"}', False),
        ('{"schema":{"a":1.0}}', '{"schema":{"a":1}}', True),
        ('{"type":"message","id":"\\u0041"}', '{"id":"A","type":"message","a":1.0}', True),
    ],
)
def test_rejects_other_differences_of_texts(ours: str, theirs: str, canonical: bool) -> None:
    with pytest.raises(DifferenceError):
        compare_texts(ours, theirs, canonical, SPECIAL)


@pytest.mark.parametrize(
    ("ours", "given", "whole"),
    [
        ('{"a_b":1}', '{"aB":1}', True),
        ('{"a_12h_b":1}', '{"a12hB":1}', True),
        ('{"a_b":1,"aB":2}', '{"aB":2,"a_b":1}', True),
        ('{"a":9007199254740993}', '{"a":9007199254740993}', True),
        ('{"a":9007199254740992}', '{"a":9007199254740993}', False),
        ('{"a":1}', '{"a":1,"b":2}', False),
        ('{"a":1,"b":2}', '{"a":1}', False),
        ('{"a":[1]}', '{"a":[1,2]}', False),
        ('{"a":1}', '{"a":true}', False),
    ],
)
def test_detects_lost_data(ours: str, given: str, whole: bool) -> None:
    assert nothing_lost(loads(ours), loads(given)) is whole


def test_inputs_are_reproducible(events: Events) -> None:
    assert list(generate(events, 1, 200)) == list(generate(events, 1, 200)) != list(generate(events, 2, 200))


def test_unspoiled_inputs_match_the_schema(events: Events) -> None:
    whole = [json.loads(given.text) for given in generate(events, 1, 2000) if not given.spoiled]
    assert {event["type"] for event in whole} == {"one", "two"}
    for event in whole:
        if event["type"] == "one":
            assert event["part"]["type"] == "part"
            assert isinstance(event["part"]["text"], str | None)
            assert all(isinstance(value, str) for value in event.get("metadata", {}).values())
        else:
            assert all(isinstance(value, int | float) for value in event.get("numbers", []))
    assert any("any" in event.get("part", ()) for event in whole)
    assert any(event.get("metadata") for event in whole)


def test_spoiled_inputs_differ_at_every_level(events: Events) -> None:
    texts = [given.text for given in generate(events, 1, 2000) if given.spoiled]
    for part in ('"part":null', '"type":"other"', '"part":[', '"__proto__"', '"extra_json"', "\\ud800"):
        assert any(part in text for text in texts), part
