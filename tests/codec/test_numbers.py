"""Numbers are parsed like `JSON.parse` and serialized like `JSON.stringify` (RFC 8785, 3.2.2.3)."""

from __future__ import annotations

import json
import math

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from openresponses_grpc import from_json, to_json

from ..support.events import GENERATING_JSON

# A token, and JSON.stringify(JSON.parse(token)).
TABLE = [
    ("0", "0"),
    ("-0", "0"),
    ("-0.0", "0"),
    ("0.0", "0"),
    ("-0e5", "0"),
    ("1", "1"),
    ("1.0", "1"),
    ("-1.50", "-1.5"),
    ("1E5", "100000"),
    ("7977.54", "7977.54"),
    ("0.1e1", "1"),
    ("9007199254740991", "9007199254740991"),
    ("9007199254740992", "9007199254740992"),
    ("-9007199254740992", "-9007199254740992"),
    ("9007199254740993.0", "9007199254740992"),
    ("1.8446744073709551616e19", "18446744073709552000"),
    ("4.30062733776899812345E+20", "430062733776899800000"),
    ("1e20", "100000000000000000000"),
    ("999999999999999999999.0", "1e+21"),
    ("1e21", "1e+21"),
    ("-1e21", "-1e+21"),
    ("1.7976931348623157e308", "1.7976931348623157e+308"),
    ("123456789012345.67", "123456789012345.67"),
    ("0.00001", "0.00001"),
    ("0.000001", "0.000001"),
    ("0.0000012345", "0.0000012345"),
    ("0.0000001", "1e-7"),
    ("1.5e-7", "1.5e-7"),
    ("2.2250738585072011e-308", "2.225073858507201e-308"),
    ("5e-324", "5e-324"),
    ("1e-400", "0"),
    ("0." + "0" * 5000 + "1", "0"),
    ("1" + "0" * 300 + "e-300", "1"),
]
# Numbers that a double cannot hold: they stay exact, in `extra_json`.
EXACT = [
    *("9007199254740993", "-9007199254740993", "18446744073709551616", "1765432100123456789", "100000000000000000000"),
    *("1e309", "-1E400", "1.8e308", "1" + "0" * 309, "9" * 5000),
]


def with_number(text: str) -> bytes:
    return GENERATING_JSON.replace(b"7977.54", text.encode())


@pytest.mark.parametrize("read, written", TABLE, ids=lambda text: text[:24])
def test_number(read: str, written: str) -> None:
    event = from_json(with_number(read), strict=True)
    assert event.image_generation_call_generating.HasField("output_index")
    assert to_json(event) == with_number(written)


@pytest.mark.parametrize("token", EXACT, ids=lambda text: text[:24])
def test_number_beyond_double_stays_exact(token: str) -> None:
    event = from_json(with_number(token))
    assert event.image_generation_call_generating.extra_json == f'{{"output_index":{token}}}'
    assert to_json(event) == with_number(token)


@pytest.mark.parametrize("text", ["-0", "-0.0", " -0", "-0e0", "-0 ", "-0.000"])
def test_message_keeps_sign_of_negative_zero(text: str) -> None:
    value = from_json(with_number(text), strict=True).image_generation_call_generating.output_index
    assert math.copysign(1, value) == -1


@pytest.mark.parametrize("other", ["", r',"\ud800":0'], ids=["compiled", "general"])
def test_underflow_becomes_positive_zero(other: str) -> None:
    text = with_number("-1e-400")
    value = from_json(text[:-1] + other.encode() + text[-1:]).image_generation_call_generating.output_index
    assert (value, math.copysign(1, value)) == (0, 1)


def test_list_keeps_sign_of_negative_zero() -> None:
    part = '{"type":"output_text","text":"","logprobs":[{"bytes":[0,-0,0.0,\n-0.0,-0e1]}]}'
    event = from_json(f'{{"type":"response.content_part.done","part":{part}}}')
    numbers = event.content_part_done.part.output_text.logprobs.items[0].bytes.items
    assert [math.copysign(1, number) for number in numbers] == [1, -1, 1, -1, -1]


@pytest.mark.parametrize("item_id", ["-0", "a:-0", ": -0,", "00000000-0000"])
def test_negative_zero_in_string_is_not_a_number(item_id: str) -> None:
    text = GENERATING_JSON.replace(b"<id>", item_id.encode()).replace(b"7977.54", b"0")
    read = from_json(text, strict=True)
    assert math.copysign(1, read.image_generation_call_generating.output_index) == 1
    assert to_json(read) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(1e-5).via("msgspec and ECMAScript use different notations")
@example(-9.999e-5).via("below the numbers that msgspec formats")
@example(2.0**53)
@example(2.0**53 + 2)
def test_doubles_follow_rfc_8785_and_round_trip(value: float) -> None:
    event = from_json(GENERATING_JSON)
    event.image_generation_call_generating.output_index = value
    written = to_json(event, strict=True)
    assert written == with_number(rfc8785.dumps(value).decode())
    assert json.loads(written, parse_int=float)["outputIndex"] == value


@given(st.integers(-(10**400), 10**400) | st.integers(-(2**54), 2**54))
def test_integers_become_doubles_or_stay_exact(value: int) -> None:
    message = from_json(with_number(str(value))).image_generation_call_generating
    if abs(value) <= 2**53:
        assert message.output_index == value
    else:
        assert message.extra_json == f'{{"output_index":{value}}}'
    assert to_json(message) == with_number(str(value))
