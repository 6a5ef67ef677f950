"""Events in any order accumulate without an error to a response that can be serialized."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from openresponses_grpc import accumulate, from_json, to_json
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from ..codec.generate import events as any_events
from .example import EVENTS, FINAL
from .small import Object, accumulated, as_json, delta, event_of, events_of, snapshot

OUTPUT_INDEXES: list[Object] = [{}, *({"output_index": index} for index in (0, 1, 0.5, -1))]
ITEM_IDS: list[Object] = [{}, {"item_id": "a"}, {"item_id": "b"}]
IDS: list[Object] = [{}, {"id": "a"}, {"id": "b"}]
ITEMS = [{"type": kind} | id for kind in ("message", "reasoning", "function_call") for id in IDS]
PARTS = [{"type": "output_text", "text": "p"}, {"type": "reasoning_text"}, {"type": "other"}, None]
SMALL = [
    delta(None, "x"),
    *events_of("function_call_arguments", "arguments"),
    *({"type": f"output_item.{verb}", "item": item} for verb in ("added", "done") for item in ITEMS),
    *({"type": f"content_part.{verb}", "part": part} for verb in ("added", "done") for part in PARTS),
    *(snapshot(type, id) for type in ("created", "in_progress", "failed") for id in ("r", "s")),
]


@st.composite
def small_events(draw: st.DrawFn) -> Any:
    return draw(st.sampled_from(SMALL)) | draw(st.sampled_from(OUTPUT_INDEXES)) | draw(st.sampled_from(ITEM_IDS))


@given(st.lists(any_events, max_size=8))
def test_arbitrary_events_accumulate(events: list[str]) -> None:
    accumulator = accumulate(from_json(event) for event in events)
    assert to_json(event_of(accumulator.response))


@given(st.lists(small_events(), max_size=12))
def test_text_and_tool_calls_match_the_response(events: list[Object]) -> None:
    accumulator = accumulated(*events)
    items = as_json(accumulator.response).get("output", [])
    parts = [part for item in items if item["type"] == "message" for part in item.get("content", [])]
    assert accumulator.text == "".join(part["text"] for part in parts if part["type"] == "output_text")
    assert len(accumulator.tool_calls) == sum(item["type"] == "function_call" for item in items)


@given(st.permutations(EVENTS[2:]))
def test_terminal_event_wins_in_any_order(events: list[OpenResponsesStreamEvent]) -> None:
    assert as_json(accumulate([*EVENTS[:2], *events]).response, "camelCase") == FINAL
