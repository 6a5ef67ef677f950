"""`accumulate` on the sample stream with reasoning, a search, text, an image and a function call."""

import json
from collections.abc import AsyncIterator

import pytest

from openresponses_grpc import Accumulator, InvalidProtobufError, accumulate
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from .example import EVENTS, FINAL, LINES
from .small import as_json

TEXT = FINAL["output"][2]["content"][0]["text"]


def test_response_equals_that_of_terminal_event() -> None:
    whole = accumulate(EVENTS)
    assert as_json(whole.response, "camelCase") == FINAL
    assert whole.text == TEXT
    kinds = [call.WhichOneof("kind") for call in whole.tool_calls]
    assert kinds == ["web_search_call", "image_generation_call", "function_call"]
    assert whole.tool_calls[2].function_call.arguments == FINAL["output"][4]["arguments"]
    assert whole.usage
    assert whole.usage.total_tokens == FINAL["usage"]["totalTokens"]


def test_output_is_complete_without_terminal_event() -> None:
    cut = accumulate(EVENTS[:-1])
    assert as_json(cut.response, "camelCase") == json.loads(LINES[1])["response"] | {"output": FINAL["output"]}
    assert cut.usage is None


def test_deltas_alone_produce_the_texts() -> None:
    deltas = [event for event in EVENTS[:-1] if not (event.WhichOneof("kind") or "").endswith("_done")]
    reasoning, search, text, image, call = as_json(accumulate(deltas).response, "camelCase")["output"]
    assert reasoning == FINAL["output"][0]
    assert search["status"] == image["status"] == "in_progress"
    assert text == FINAL["output"][2] | {"status": "in_progress"}
    assert call == FINAL["output"][4] | {"status": "in_progress"}


def test_response_is_available_after_each_event() -> None:
    accumulator = Accumulator()
    texts = []
    for event in EVENTS:
        accumulator.add(event)
        texts.append(accumulator.text)
        assert accumulator.response.id == FINAL["id"]
    assert all(TEXT.startswith(text) for text in texts)
    assert texts == sorted(texts, key=len)
    assert len(set(texts)) > 60


async def test_accepts_serialized_events_and_async_iterators() -> None:
    async def events() -> AsyncIterator[bytes]:
        for event in EVENTS:
            yield event.SerializeToString()

    assert as_json((await accumulate(events())).response, "camelCase") == FINAL
    assert as_json(accumulate(event.SerializeToString() for event in EVENTS).response, "camelCase") == FINAL


def test_rejects_anything_else() -> None:
    with pytest.raises(InvalidProtobufError, match="not an OpenResponsesStreamEvent"):
        Accumulator().add(b"\xff")
    with pytest.raises(TypeError, match="got str"):
        Accumulator().add("{}")  # type: ignore[arg-type]


def test_results_do_not_alias_events() -> None:
    events = [OpenResponsesStreamEvent.FromString(event.SerializeToString()) for event in EVENTS[:-1]]
    accumulator = accumulate(events)
    accumulator.response.status = "changed"
    accumulator.response.output.items[2].message.content.items[0].output_text.text = "changed"
    accumulator.tool_calls[0].web_search_call.id = "changed"
    assert events == EVENTS[:-1]
    for event in events:
        event.output_item_done.item.function_call.arguments = "changed"
    assert as_json(accumulator.response, "camelCase")["output"] == FINAL["output"]
    assert accumulator.response.status == "in_progress"
