"""`to_json` with messages that did not come from JSON: its output and its errors."""

from __future__ import annotations

from typing import Any

import pytest

from openresponses_grpc import (
    EventShapeError,
    IncompleteEventError,
    InvalidProtobufError,
    from_json,
    protobuf_to_json,
    to_json,
)
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from ..support.events import COMPLETED_JSON, GENERATING_JSON, event

RESPONSE = '{"type":"response.completed","response":{"status":"completed"}}'


@pytest.mark.parametrize("json_text", ["", "[]", "null", "1", '{"type":"y"} x', "{", '{"a":NaN}'])
def test_rejects_unrecognized_event_that_is_not_one_json_object(json_text: str) -> None:
    unfit = OpenResponsesStreamEvent()
    unfit.unrecognized.type, unfit.unrecognized.json = "x", json_text
    with pytest.raises(IncompleteEventError) as caught:
        to_json(unfit)
    assert caught.value.path == "$"


def test_rejects_event_without_member() -> None:
    with pytest.raises(IncompleteEventError, match="no member of OpenResponsesStreamEvent is set") as caught:
        to_json(OpenResponsesStreamEvent())
    assert caught.value.path == "$"


@pytest.mark.parametrize(
    "data", [b"\x0a", b"\xff", b"\x0a\x02\x0a", b"\x0a\x03\x0a\x01\xff", b"{}", b"\x7a\x03\x0a\x01\xff"]
)
def test_rejects_bytes_that_are_not_an_event(data: bytes) -> None:
    with pytest.raises(InvalidProtobufError):
        protobuf_to_json(data)


@pytest.mark.parametrize("extra, written", [(" {\n} ", b""), (' {"a" : [1,\r\n2.50]}\n', b',"a":[1,  2.50]')])
def test_extra_json_is_written_without_line_ends(extra: str, written: bytes) -> None:
    made = from_json(COMPLETED_JSON)
    made.image_generation_call_completed.extra_json = extra
    assert to_json(made) == COMPLETED_JSON[:-1] + written + b"}"


def test_member_message_is_serialized_like_the_event() -> None:
    made = from_json(GENERATING_JSON)
    assert to_json(made.image_generation_call_generating) == GENERATING_JSON
    made.image_generation_call_generating.Clear()
    assert to_json(made.image_generation_call_generating) == b'{"type":"response.image_generation_call.generating"}'


@pytest.mark.parametrize(
    "wrong", [None, {}, b"", from_json('{"type":"x"}').unrecognized, from_json(RESPONSE).completed.response]
)
def test_rejects_other_messages_and_types(wrong: Any) -> None:
    with pytest.raises(TypeError, match="expected an OpenResponsesStreamEvent"):
        to_json(wrong)


def test_strict_serialization_rejects_what_the_sdk_rejects() -> None:
    unfit = event(0)
    unfit.image_generation_call_generating.ClearField("item_id")
    assert to_json(unfit).startswith(b'{"type":"response.image_generation_call.generating","outputIndex"')
    with pytest.raises(EventShapeError, match="a required property is missing") as caught:
        to_json(unfit, strict=True)
    assert caught.value.path == "$.itemId"
