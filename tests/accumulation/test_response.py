"""Events that carry the whole response: snapshots, terminal events and errors."""

from __future__ import annotations

from typing import Any

import pytest

from openresponses_grpc import accumulate, from_dict
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from .small import Object, accumulated, added, as_json, delta, done, message, output, snapshot

each_terminal = pytest.mark.parametrize("type", ["completed", "incomplete", "failed"])


@each_terminal
def test_terminal_response_replaces_accumulated_one(type: str) -> None:
    last = snapshot(type, status=type, output=[message("b")], usage={"total_tokens": 3})
    accumulator = accumulated(snapshot("created", model="m"), delta(0, "a"), done(1, "message"), last, delta(0, "c"))
    assert as_json(accumulator.response) == last["response"]
    assert accumulator.text == "b"
    assert accumulator.usage
    assert accumulator.usage.total_tokens == 3


@each_terminal
@pytest.mark.parametrize("empty", [{}, {"output": []}, {"output": None}], ids=["absent", "empty", "null"])
def test_keeps_items_if_terminal_response_has_none(type: str, empty: Object) -> None:
    events = [added(0, "message", id="m"), delta(0, "a", item_id="m"), snapshot(type, status=type, **empty)]
    expected = {"id": "resp_1", "status": type, "output": [message("a", id="m")]}
    assert as_json(accumulated(*events).response) == expected
    assert as_json(accumulated(events[1], events[0], events[2]).response) == expected
    assert output(*events[1:]) == empty.get("output")  # a delta without its item does not replace the output


def test_latest_snapshot_keeps_accumulated_items() -> None:
    events = [
        snapshot("queued", status="queued", output=[message("a", id="m"), {"type": "reasoning", "id": "r"}]),
        delta(None, "b", item_id="m"),
        snapshot("in_progress", status="in_progress", output=[]),
        delta(0, "c", item_id="m"),
    ]
    items = [message("abc", id="m"), {"type": "reasoning", "id": "r"}]
    assert as_json(accumulated(*events).response) == {"id": "resp_1", "status": "in_progress", "output": items}


def test_another_response_resets_the_accumulator() -> None:
    first, second = [snapshot("created", "a"), delta(0, "x")], [snapshot("created", "b"), delta(0, "y")]
    end = snapshot("completed", "a", output=[message("x")])
    assert accumulated(*first, *second).text == "y"
    assert accumulated(*first, end, *second).text == "y"
    assert accumulated(*first, end, first[0], delta(0, "z")).text == "x"
    assert accumulated(*first, first[0], delta(0, "z")).text == "xz"
    assert accumulated(*first, snapshot("in_progress", "another"), delta(0, "z")).text == "xz"


@pytest.mark.parametrize("nested", [False, True])
def test_error_event_fails_the_response(nested: bool) -> None:
    error: dict[str, Any] = {"code": "rate_limit_exceeded", "message": "Slow down.", "param": None}
    accumulator = accumulated(snapshot("created", status=None, error=None), delta(0, "a"))
    accumulator.add(from_dict({"type": "error", "sequence_number": 2} | ({"error": error} if nested else error)))
    assert as_json(accumulator.response) == {
        "id": "resp_1",
        "status": "failed",
        "error": {"code": "rate_limit_exceeded", "message": "Slow down."},
        "output": [message("a")],
    }


@pytest.mark.parametrize("type", ["created", "completed", "ping"])
def test_ignores_events_without_a_response(type: str) -> None:
    accumulator = accumulated({"type": type}, delta(0, "a"), {"type": type}, delta(0, "b"))
    assert as_json(accumulator.response) == {"output": [message("ab")]}


@pytest.mark.parametrize("events", [[], [OpenResponsesStreamEvent()]])
def test_no_events_produce_an_empty_response(events: list[OpenResponsesStreamEvent]) -> None:
    empty = accumulate(events)
    assert (as_json(empty.response), empty.text, empty.tool_calls, empty.usage) == ({}, "", [], None)
