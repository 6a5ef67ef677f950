"""What goes into the bridge and what comes out, each rule by its name, in both directions where it has two."""

import json
import math
import pickle

import pytest

from openresponses.v1.events_pb2 import OpenResponsesImageGenCallGenerating, OpenResponsesStreamEvent
from openresponses_grpc import (
    EventError,
    EventShapeError,
    IncompleteEventError,
    InvalidJSONError,
    UnknownEventTypeError,
    from_dict,
    from_json,
    to_dict,
    to_json,
)

from ..events import DOCUMENTED, GENERATING_JSON, event

TYPE = "response.image_generation_call.generating"


def generating(**changed: str | None) -> str:
    """The JSON of a generating event with some properties' JSON changed; None leaves the property out."""
    properties = {"type": f'"{TYPE}"', "itemId": '"<id>"', "outputIndex": "7977.54", "sequenceNumber": "0"}
    texts = (properties | changed).items()
    return "{" + ",".join(f'"{name}":{text}' for name, text in texts if text is not None) + "}"


@pytest.mark.parametrize("text", DOCUMENTED)
def test_documented_events_come_back_to_the_byte(text: bytes) -> None:
    read = from_json(text, strict=True)
    assert to_json(OpenResponsesStreamEvent.FromString(read.SerializeToString())) == text
    assert from_json(text.decode(), strict=True) == read
    assert from_dict(to_dict(read), strict=True) == read


def test_zero_is_not_missing() -> None:
    read = from_json(GENERATING_JSON)
    assert read.image_generation_call_generating.HasField("sequence_number")
    assert to_json(read).endswith(b'"sequenceNumber":0}')


def test_snake_case_is_the_api_s_spelling() -> None:
    snake = b'{"type":"%b","item_id":"<id>","output_index":7977.54,"sequence_number":0}' % TYPE.encode()
    read = from_json(snake, naming="snake_case", strict=True)
    assert read == from_json(GENERATING_JSON)
    assert to_json(read, naming="snake_case") == snake
    assert to_dict(read, naming="snake_case") == json.loads(snake)
    assert from_dict(json.loads(snake), naming="snake_case", strict=True) == read


def test_a_bare_message_is_written_like_the_wrapper() -> None:
    read = from_json(GENERATING_JSON)
    assert to_json(read.image_generation_call_generating) == GENERATING_JSON
    assert to_dict(read.image_generation_call_generating) == to_dict(read)


@pytest.mark.parametrize("wrong", [None, "null", "true", "false", '"1"', "[]", "{}"])
@pytest.mark.parametrize("name", ["outputIndex", "sequenceNumber"])
def test_number_missing_null_or_of_another_type(name: str, wrong: str | None) -> None:
    with pytest.raises(EventShapeError) as caught:
        from_json(generating(**{name: wrong}), strict=True)
    assert caught.value.path == f"$.{name}"
    assert str(caught.value).startswith(f"$.{name}: ")


@pytest.mark.parametrize("wrong", [None, "null", "true", "false", "1", "[]", "{}"])
def test_string_missing_null_or_of_another_type(wrong: str | None) -> None:
    with pytest.raises(EventShapeError) as caught:
        from_json(generating(itemId=wrong), strict=True)
    assert caught.value.path == "$.itemId"


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1" + "0" * 309, "9" * 5000])
def test_number_outside_the_double_range(number: str) -> None:
    with pytest.raises(EventShapeError, match="outside the range") as caught:
        from_json(generating(outputIndex=number), strict=True)
    assert caught.value.path == "$.outputIndex"


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("strict", [True, False])
def test_nan_and_infinity_are_no_json(word: str, strict: bool) -> None:
    with pytest.raises(InvalidJSONError):
        from_json(generating(outputIndex=word), strict=strict)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_have_no_json(value: float) -> None:
    with pytest.raises(EventShapeError) as caught_in:
        from_dict({**json.loads(GENERATING_JSON), "outputIndex": value})
    assert caught_in.value.path == "$.outputIndex"
    unfit = event(0)
    unfit.image_generation_call_generating.output_index = value
    with pytest.raises(IncompleteEventError) as caught_out:
        to_json(unfit)
    assert caught_out.value.path == "$.outputIndex"


@pytest.mark.parametrize("naming, other", [("camelCase", "item_id"), ("snake_case", "itemId")])
def test_both_spellings_of_one_property(naming: str, other: str) -> None:
    name = "itemId" if other == "item_id" else "item_id"
    both = to_dict(event(0), naming=naming) | {other: "other"}  # type: ignore[arg-type]
    with pytest.raises(EventShapeError, match="second time") as caught:
        from_dict(both, naming=naming, strict=True)  # type: ignore[arg-type]
    assert caught.value.path == f"$.{name}"


@pytest.mark.parametrize(
    "first, last",
    [("1", "2"), ('"1"', "2"), ("null", "2"), ("1e400", "2")],
)
def test_the_last_of_a_duplicate_key_wins(first: str, last: str) -> None:
    text = generating(outputIndex=first)[:-1] + f',"outputIndex":{last}}}'
    assert from_json(text, strict=True).image_generation_call_generating.output_index == 2


def test_the_last_of_a_duplicate_type_wins() -> None:
    completed = TYPE.replace("generating", "completed")
    for first in ('"other"', "1", "null", f'"{TYPE}"'):
        text = generating(type=first)[:-1] + f',"type":"{completed}"}}'
        assert from_json(text, strict=True).HasField("image_generation_call_completed")


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(GENERATING_JSON + b"x", id="text after the value"),
        pytest.param(GENERATING_JSON + GENERATING_JSON, id="a second value"),
        pytest.param(b"\xef\xbb\xbf" + GENERATING_JSON, id="a byte order mark"),
        pytest.param("\ufeff" + GENERATING_JSON.decode(), id="a byte order mark in a str"),
        pytest.param(GENERATING_JSON.replace(b"<id>", b"\xff"), id="invalid UTF-8"),
        pytest.param(GENERATING_JSON[:-1] + b',"more":"\xed\xa0\x80"}', id="a surrogate in UTF-8, in more"),
        pytest.param(GENERATING_JSON.replace(b"<id>", rb"\ud800"), id="a lone surrogate"),
        pytest.param(GENERATING_JSON[:-1] + rb',"more":"\udc00"}', id="a lone surrogate, in more"),
        pytest.param(GENERATING_JSON.decode().replace("<id>", "\ud800"), id="a lone surrogate in a str"),
        pytest.param(b'{"type":"x","deep":' + b"[" * 100_000, id="nesting without bound"),
        pytest.param(b"[" * 100_000, id="nesting and nothing else"),
        pytest.param(b'{"type":"x","deep":' + b"[" * 100_000 + b"]" * 100_000 + b"}", id="nesting that ends"),
        pytest.param(b"", id="nothing"),
        pytest.param(b" ", id="white space"),
        pytest.param(b'{"type":"x",}', id="a comma too many"),
        pytest.param(b"{'type':'x'}", id="single quotes"),
        pytest.param(b'{"type":"x","n":01}', id="a leading zero"),
        pytest.param(b'{"type":"x\n"}', id="a control character in a string"),
        pytest.param(b"[]", id="an array"),
        pytest.param(b"null", id="null"),
        pytest.param(b"{}", id="no type"),
        pytest.param(b"{}x", id="no type, and text after the value"),
        pytest.param(b"[]x", id="an array, and text after the value"),
        pytest.param(b'{"type":1,"deep":' + b"[" * 100_000, id="nesting without bound after a type that is a number"),
        pytest.param(rb'{"type":"x","\ud800":1}', id="a lone surrogate in a name"),
        pytest.param(GENERATING_JSON[:-1] + rb',"\ud800":1}', id="a lone surrogate in another name"),
        pytest.param(b'{"type":1}', id="a type that is a number"),
        pytest.param(b'{"type":"x","type":null}', id="a last type that is null"),
    ],
)
def test_what_is_no_event_is_an_error(data: str | bytes, strict: bool) -> None:
    with pytest.raises(InvalidJSONError) as caught:
        from_json(data, strict=strict)
    assert caught.value.path in ("$", "$.type")


def test_errors_can_be_pickled() -> None:
    with pytest.raises(EventShapeError) as caught:
        from_json(generating(itemId=None), strict=True)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again), again.path) == (EventShapeError, str(caught.value), "$.itemId")


def test_unknown_type_when_strict() -> None:
    with pytest.raises(UnknownEventTypeError) as caught:
        from_json('{"type":"response.created"}', strict=True)
    assert caught.value.path == "$.type"
    assert "response.created" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"response.created","response":{"id":"r", "n":1e400}}',
        ' {"type" : ""}\n',
        '{"type":"a","type":"b"}',
        generating(itemId=None),
        generating(outputIndex="1e400"),
        generating(outputIndex="-0", sequenceNumber='"0"'),
        generating()[:-1] + ',"item_id":"b"}',
        generating().replace("itemId", "item_id"),
    ],
)
def test_unknown_type_or_shape_is_carried_to_the_byte(text: str) -> None:
    read = from_json(text)
    assert read.unrecognized.json == text
    assert read.unrecognized.type == json.loads(text)["type"]
    assert to_json(OpenResponsesStreamEvent.FromString(read.SerializeToString())) == text.encode()


def test_property_that_the_message_does_not_name_comes_back() -> None:
    text = (
        generating()[:-1] + ',"size": [1, 2.50],"x":1e400,"y":{"type":null},"size":"1536x1024","é\\n":"\\ud83d\\ude00"}'
    )
    read = from_json(text, strict=True)
    assert read.extra_json == '{"size":"1536x1024","x":1e400,"y":{"type":null},"é\\n":"\\ud83d\\ude00"}'
    assert to_json(read) == generating().encode()[:-1] + b"," + read.extra_json.encode()[1:]
    assert json.loads(to_json(read)) == json.loads(text) == to_dict(read)


@pytest.mark.parametrize("field, name", [("item_id", "itemId"), ("output_index", "outputIndex")])
def test_required_field_unset_on_the_way_out(field: str, name: str) -> None:
    unfit = event(0)
    unfit.image_generation_call_generating.ClearField(field)  # type: ignore[arg-type]
    for message in (unfit, unfit.image_generation_call_generating):
        with pytest.raises(IncompleteEventError, match=field) as caught:
            to_json(message)
        assert caught.value.path == f"$.{name}"


def test_no_event_on_the_way_out() -> None:
    with pytest.raises(IncompleteEventError) as caught:
        to_json(OpenResponsesStreamEvent())
    assert caught.value.path == "$"
    with pytest.raises(IncompleteEventError):
        to_json(OpenResponsesImageGenCallGenerating())


@pytest.mark.parametrize(
    "type_name, text",
    [("x", ""), ("x", "[]"), ("x", '{"type":"y"}'), ("x", '{"type":"x"} ' + "x"), ("", "{}")],
)
def test_raw_json_that_is_no_event_on_the_way_out(type_name: str, text: str) -> None:
    unfit = OpenResponsesStreamEvent()
    unfit.unrecognized.type, unfit.unrecognized.json = type_name, text
    with pytest.raises(IncompleteEventError):
        to_json(unfit)


@pytest.mark.parametrize("extra", ["[]", "{", " ", '{"type":"x"}', '{"itemId":1}', '{"item_id":1}', '{"a":1}x'])
def test_extra_json_that_does_not_fit_on_the_way_out(extra: str) -> None:
    unfit = event(0)
    unfit.extra_json = extra
    with pytest.raises(IncompleteEventError):
        to_json(unfit)


def test_extra_json_of_an_unrecognized_event_is_an_error() -> None:
    unfit = from_json('{"type":"x"}')
    unfit.extra_json = "{}"
    with pytest.raises(IncompleteEventError):
        to_json(unfit)


def test_extra_json_without_properties_adds_none() -> None:
    made = from_json(GENERATING_JSON)
    made.extra_json = " {\n} "
    assert to_json(made) == GENERATING_JSON


def test_arguments_of_other_types_are_type_errors() -> None:
    for wrong in (None, 1, ["{}"]):
        with pytest.raises(TypeError):
            from_json(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        to_json(from_json('{"type":"x"}').unrecognized)


def test_naming_is_one_of_two() -> None:
    with pytest.raises(ValueError, match="camelCase, snake_case"):
        from_json(GENERATING_JSON, naming="kebab-case")  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [{1: 2}, {"type": "x", "y": {1, 2}}, {"type": "x", "y": math.nan}])
def test_dict_that_is_no_json_is_an_error(value: dict[str, object]) -> None:
    with pytest.raises(EventError):
        from_dict(value)
