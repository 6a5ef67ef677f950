"""Input that is not one JSON object raises InvalidJSONError with a path and a problem, strict or lenient."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openresponses_grpc import EventError, EventShapeError, InvalidJSONError, from_json, json_to_protobuf, to_json

from ..support.events import GENERATING_JSON
from .any_json import damaged
from .generate import any_object
from .json_values import parse
from .respell import respell

NESTED = '{"type":"response.completed","response":{"output":[{"type":"message","content":[%s]}]}}'
CONTENT = "$.response.output[0].content[0]"
TABLE: list[tuple[str, str | bytes, str, str]] = [
    ("empty input", "", "$", "expected a JSON object"),
    ("white space", " \n", "$", "expected a JSON object"),
    ("an array", "[]", "$", "expected a JSON object"),
    ("null", "null", "$", "expected a JSON object"),
    ("a string", '"a"', "$", "expected a JSON object"),
    ("HTML", "<html>", "$", "expected a JSON object, got '<html>'"),
    ("a byte order mark", b"\xef\xbb\xbf" + GENERATING_JSON, "$", "expected a JSON object"),
    ("a byte order mark in a str", "\ufeff" + GENERATING_JSON.decode(), "$", "expected a JSON object"),
    ("text after the value", GENERATING_JSON + b"x", "$", "expected the end"),
    ("a second value", GENERATING_JSON * 2, "$", "expected the end"),
    ("a brace after the value", GENERATING_JSON + b"}", "$", "expected the end"),
    ("truncated", GENERATING_JSON[:-1], "$", "got the end"),
    ("truncated in a string", GENERATING_JSON[:65], "$.itemId", "Unterminated string"),
    ("invalid UTF-8", GENERATING_JSON.replace(b"<id>", b"\xff"), "$", "not UTF-8"),
    ("invalid UTF-8 in an unknown property", b'{"type":"x","y":"\xe9"}', "$", "not UTF-8"),
    ("a surrogate in UTF-8", b'{"type":"x","more":"\xed\xa0\x80"}', "$", "not UTF-8"),
    ("a surrogate in UTF-8 in a name", GENERATING_JSON[:-1] + b',"\xed\xa0\x80":1}', "$", "not UTF-8"),
    ("UTF-16", GENERATING_JSON.decode().encode("utf-16"), "$", "not UTF-8"),
    ("a lone surrogate in a str", '{"type":"\ud800"}', "$", "not Unicode"),
    ("a trailing comma", '{"type":"x",}', "$", "property name"),
    ("a trailing comma in a list", NESTED % "1,", "$.response.output[0].content[1]", "expected a JSON value"),
    ("a missing comma", '{"type":"x" "y":1}', "$", "',' or '}'"),
    ("a missing comma in a list", '{"type":"x","y":[1 2]}', "$.y", "',' or ']'"),
    ("a missing colon", '{"type" "x"}', "$", "':'"),
    ("single quotes", "{'type':'x'}", "$", "double quotes"),
    ("a name without quotes", "{type:1}", "$", "double quotes"),
    ("a leading zero", '{"type":"x","n":01}', "$", "',' or '}'"),
    ("a plus sign", '{"type":"x","n":+1}', "$.n", "a JSON value"),
    ("a decimal point without digits", NESTED % '{"type":"output_text","text":1.}', f"{CONTENT}", "',' or '}'"),
    ("a misspelled literal", NESTED % '{"type":"output_text","text":nul}', f"{CONTENT}.text", "a JSON value, got 'nul"),
    ("NaN", '{"type":"x","n":NaN}', "$.n", "NaN"),
    ("NaN in a number", GENERATING_JSON.replace(b"7977.54", b"NaN"), "$.outputIndex", "NaN"),
    ("Infinity", NESTED % '{"type":"output_text","x":Infinity}', f"{CONTENT}.x", "Infinity"),
    ("-Infinity", GENERATING_JSON.replace(b"7977.54", b"-Infinity"), "$.outputIndex", "-Infinity"),
    ("a control character", '{"type":"x\n"}', "$.type", "control character"),
    ("a control character in a name", '{"a\tb":1}', "$", "control character"),
    ("an invalid escape", NESTED % r'"\x41"', CONTENT, "escape"),
    ("a truncated escape", r'{"type":"\u12"}', "$.type", "escape"),
    ("unclosed deep nesting", '{"type":"x","deep":' + "[" * 100_000, "$", "100 levels"),
    ("only opening brackets", "[" * 100_000, "$", "100 levels"),
    ("deep nesting", '{"type":"x","deep":' + "[" * 100_000 + "]" * 100_000 + "}", "$", "100 levels"),
    ("deep objects in a field", NESTED % ('{"a":' * 96 + "1" + "}" * 96), "$", "100 levels"),
]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("data, path, problem", [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_invalid_input(data: str | bytes, path: str, problem: str, strict: bool) -> None:
    with pytest.raises(InvalidJSONError) as caught:
        from_json(data, strict=strict)
    assert caught.value.path == path
    assert problem in caught.value.problem
    assert str(caught.value) == f"{path}: {caught.value.problem}"


DEEPEST = ["[" * 99 + "]" * 99, '{"a":' * 99 + "1" + "}" * 99, '[{"a":' * 49 + "[]" + "}]" * 49, '"' + "[" * 200 + '"']


@pytest.mark.parametrize("deep", DEEPEST)
@pytest.mark.parametrize("place", ['{{"type":"x","y":{}}}', '{{"type":"response.output_text.delta","delta":{}}}'])
def test_100_levels_round_trip(deep: str, place: str) -> None:
    text = place.format(deep)
    assert to_json(from_json(text)) == text.encode()


@given(damaged(any_object))
def test_damaged_text_round_trips_or_is_rejected(text: str) -> None:
    try:
        expected = parse(text)
    except ValueError:
        expected = None
    if isinstance(expected, dict) and not text.startswith("\ufeff"):
        assert parse(to_json(from_json(text))) == respell(expected, "camelCase")
        return
    with pytest.raises(InvalidJSONError):
        json_to_protobuf(text)


@given(st.binary())
def test_arbitrary_bytes_parse_or_raise_with_a_path(data: bytes) -> None:
    try:
        event = from_json(b'{"type":"x"' + data)
    except EventError as error:
        assert error.path.startswith("$")
    else:
        assert to_json(event)


def test_errors_survive_pickling() -> None:
    with pytest.raises(EventShapeError) as caught:
        from_json('{"type":"response.image_generation_call.generating"}', strict=True)
    again: Any = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again), again.path) == (EventShapeError, str(caught.value), "$.itemId")


@pytest.mark.parametrize("wrong", [None, 1, ["{}"], {}])
def test_rejects_arguments_of_wrong_type(wrong: Any) -> None:
    with pytest.raises(TypeError):
        from_json(wrong)


@pytest.mark.parametrize("strict", [False, True])
def test_rejects_unknown_naming(strict: bool) -> None:
    with pytest.raises(ValueError, match="camelCase, snake_case"):
        from_json(GENERATING_JSON, naming="kebab-case", strict=strict)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="camelCase, snake_case"):
        to_json(from_json(GENERATING_JSON), naming="kebab-case", strict=strict)  # type: ignore[arg-type]
