"""Output items are built from the available events, even if some are missing or inconsistent."""

from __future__ import annotations

import math
from typing import Any

import pytest

from openresponses_grpc import accumulate
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from .small import Object, added, at, delta, done, message, output, snapshot

LOGPROBS: list[Object] = [{"token": token, "logprob": -1} for token in "ab"]
FILE_PATH = {"type": "file_path", "index": 1}
POEM = {"type": "poem"}


def part(type: str, **properties: Any) -> Object:
    return {"part": {"type": type, **properties}}


def text_part(**properties: Any) -> list[Object]:
    return [{"type": "message", "content": [{"type": "output_text", **properties}]}]


TABLE: list[tuple[str, list[Object], list[Object]]] = [
    ("only deltas", [delta(2, "b"), delta(1, "a")], [message("a"), message("b")]),
    (
        "parts with gaps",
        [delta(0, "z", content_index=7), delta(0, "y", content_index=1e15), delta(0, "a", content_index=0)],
        [message("a", "z", "y")],
    ),
    ("no content index", [delta(0, "a"), delta(0, "b")], [message("ab")]),
    (
        "no output index",
        [
            added(None, "message", id="m"),
            added(None, "function_call", id="f"),
            delta(None, "a", item_id="m"),
            at(None, "function_call_arguments.delta", delta="{}"),
        ],
        [message("a", id="m"), {"type": "function_call", "id": "f", "arguments": "{}"}],
    ),
    (
        "neither output index nor id",
        [added(None, "message"), delta(None, "a"), added(None, "message"), delta(None, "b")],
        [message("a"), message("b")],
    ),
    (
        "the same output index for all items",
        [
            added(0, "reasoning", id="r"),
            added(0, "message", id="m"),
            delta(0, "a", item_id="m"),
            done(0, "reasoning", id="r", status="completed"),
        ],
        [{"type": "reasoning", "id": "r", "status": "completed"}, message("a", id="m")],
    ),
    (
        "complete items with the same output index",
        [done(0, "reasoning", id="r"), done(0, "mcp_call", id="m")],
        [{"type": "reasoning", "id": "r"}, {"type": "mcp_call", "id": "m"}],
    ),
    (
        "a different id in each event",
        [added(0, "message", id="a"), delta(0, "x", item_id="b"), done(0, "message", id="c", content=[])],
        [{"type": "message", "id": "c", "content": []}],
    ),
    (
        "no ids",
        [added(0, "message"), delta(0, "a"), added(1, "message"), delta(1, "b"), delta(0, "c")],
        [message("ac"), message("b")],
    ),
    (
        "the same id for all items",
        [added(index, "message", id="m") for index in (0, 1)]
        + [delta(index, text, item_id="m") for index, text in [(0, "a"), (1, "b"), (0, "c")]],
        [message("ac", id="m"), message("b", id="m")],
    ),
    (
        "an id without an output index",
        [delta(0, "a", item_id="a"), delta(1, "b", item_id="b"), delta(None, "c", item_id="a")],
        [message("ac", id="a"), message("b", id="b")],
    ),
    (
        "an item added after its delta",
        [delta(0, "a", item_id="m"), added(0, "message", id="m", role="assistant")],
        [message("a", id="m", role="assistant")],
    ),
    (
        "an item added after it is complete",
        [done(0, "message", id="m", role="assistant"), added(0, "message", id="m")],
        [{"type": "message", "id": "m", "role": "assistant"}],
    ),
    (
        "parts after the item is complete",
        [
            done(0, "message", id="m", content=[]),
            delta(0, "a"),
            at(0, "content_part.added", **part("refusal", refusal="no")),
            at(0, "output_text.annotation.added", annotation=POEM),
        ],
        [message(id="m")],
    ),
    ("a delta for another kind of item", [added(0, "function_call"), delta(0, "a")], [{"type": "function_call"}]),
    ("an unrecognized item", [added(0, "hologram", n=1), delta(0, "a")], [{"type": "hologram", "n": 1}]),
    (
        "a delta for another kind of part",
        [
            at(0, "content_part.added", **part("refusal", refusal="no")),
            delta(0, "a"),
            at(0, "output_text.annotation.added", annotation=POEM),
        ],
        [{"type": "message", "content": [{"type": "refusal", "refusal": "no"}]}],
    ),
    (
        "an unrecognized part",
        [added(0, "message", content=[]), at(0, "content_part.done", **part("output_song", notes=[1]))],
        [{"type": "message", "content": [{"type": "output_song", "notes": [1]}]}],
    ),
    (
        "a part added after its delta",
        [delta(0, "a"), at(0, "content_part.added", **part("output_text", text=""))],
        text_part(text="a"),
    ),
    (
        "a delta after its part is complete",
        [delta(0, "a"), at(0, "content_part.done", **part("output_text", text="b")), delta(0, "c")],
        text_part(text="bc"),
    ),
    ("a done event without text", [delta(0, "a"), at(0, "output_text.done", text=None)], text_part(text="a")),
    (
        "a reasoning part",
        [added(0, "reasoning"), at(0, "content_part.added", **part("reasoning_text"))],
        [{"type": "reasoning", "content": [{"type": "reasoning_text"}]}],
    ),
    (
        "a complete part",
        [
            at(0, "content_part.added", **part("output_text", text="", annotations=None)),
            delta(0, "a"),
            at(0, "output_text.annotation.added", annotation=POEM),
            at(0, "content_part.done", **part("output_text", text="b", extra=1.5)),
        ],
        text_part(text="b", extra=1.5),
    ),
    (
        "annotations",
        [
            at(0, "content_part.added", **part("output_text", text="", annotations=None)),
            at(0, "output_text.annotation.added", annotation=FILE_PATH),
            at(0, "output_text.annotation.added", annotation=POEM),
        ],
        text_part(text="", annotations=[FILE_PATH, POEM]),
    ),
    (
        "log probabilities",
        [
            at(0, "content_part.added", **part("output_text", text="", logprobs=None)),
            *(delta(0, logprob["token"], logprobs=[logprob]) for logprob in LOGPROBS),
            delta(0, "c", logprobs=[]),
        ],
        text_part(text="abc", logprobs=LOGPROBS),
    ),
    (
        "log probabilities repeated in full",
        [delta(0, "a", logprobs=LOGPROBS[:1]), at(0, "output_text.done", text="ab", logprobs=LOGPROBS)],
        text_part(text="ab", logprobs=LOGPROBS),
    ),
    (
        "events without their payload",
        [at(0, f"output_item.{verb}") for verb in ("added", "done")]
        + [
            at(0, "output_text.annotation.added", annotation=None),
            at(0, "content_part.done", part=None),
            delta(0, "a"),
        ],
        [message("a")],
    ),
    (
        "a property next to a text that is null",
        [added(0, "custom_tool_call", input=None, big=1e300), at(0, "custom_tool_call_input.delta", delta="a")],
        [{"type": "custom_tool_call", "input": "a", "big": 1e300}],
    ),
]


@pytest.mark.parametrize("events, expected", [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_output_items(events: list[Object], expected: list[Object]) -> None:
    assert output(*events) == expected
    assert output(snapshot("created", output=[]), *events) == expected
    assert output(snapshot("created", output=None), *events) == expected


def test_nan_index_counts_as_missing() -> None:
    event = OpenResponsesStreamEvent()
    event.output_text_delta.delta = "a"
    event.output_text_delta.output_index = event.output_text_delta.content_index = math.nan
    assert accumulate([event, event]).response.output.items[0].message.content.items[0].output_text.text == "aa"


@pytest.mark.parametrize(
    "before, after", [('{"arguments":null}', ""), ('{"arguments":null,"a":1.50}', '{"a":1.50}'), ('{"arguments"', None)]
)
def test_extra_json_drops_property_that_became_a_field(before: str, after: str | None) -> None:
    item, text = OpenResponsesStreamEvent(), OpenResponsesStreamEvent()
    item.output_item_added.item.function_call.extra_json = before
    text.function_call_arguments_delta.delta = "{}"
    call = accumulate([item, text]).tool_calls[0].function_call
    assert call.arguments == "{}"
    assert call.extra_json == (before if after is None else after)
    assert call.HasField("extra_json") == bool(call.extra_json)
