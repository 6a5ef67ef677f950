"""Deltas extend each kind of text, and its `done` event replaces it."""

from __future__ import annotations

from typing import Any

import pytest

from .small import Object, accumulated, added, at, events_of, output

CALLS = [
    ("function_call", "function_call_arguments", "arguments"),
    ("mcp_call", "mcp_call_arguments", "arguments"),
    ("custom_tool_call", "custom_tool_call_input", "input"),
    ("code_interpreter_call", "code_interpreter_call_code", "code"),
]
PARTS = [
    ("message", "output_text", "content", "output_text", "text"),
    ("message", "refusal", "content", "refusal", "refusal"),
    ("reasoning", "reasoning_text", "content", "reasoning_text", "text"),
    ("reasoning", "reasoning_summary_text", "summary", "summary_text", "text"),
]
GROWING = ["ab", "ab", "abc", "abcd"]
ABSENT: Any = object()


def starting(name: str, value: Any) -> Object:
    return {} if value is ABSENT else {name: value}


@pytest.mark.parametrize("kind, subject, field", CALLS)
@pytest.mark.parametrize("start", [ABSENT, "", None], ids=["absent", "empty", "null"])
def test_deltas_extend_input_of_call(kind: str, subject: str, field: str, start: Any) -> None:
    call = added(0, kind, id="call_1", **starting(field, start))
    events = events_of(subject, field)
    assert [output(call, *events[:count])[0].get(field) for count in (1, 2, 3, 4)] == GROWING
    assert output(call, *events) == [{"type": kind, "id": "call_1", field: "abcd"}]
    assert accumulated(call, *events).text == ""
    assert len(accumulated(call).tool_calls) == 1


@pytest.mark.parametrize("kind, subject, name, part, field", PARTS)
@pytest.mark.parametrize("start", [ABSENT, [], None], ids=["absent", "empty", "null"])
def test_deltas_extend_text_of_part(kind: str, subject: str, name: str, part: str, field: str, start: Any) -> None:
    item = added(0, kind, id="item_1", **starting(name, start))
    events = events_of(subject, field, **{f"{name}_index": 0})
    parts = [output(item, *events[:count])[0][name] for count in (1, 2, 3, 4)]
    assert parts == [[{"type": part, field: text}] for text in GROWING]
    assert accumulated(item, *events).text == ("abcd" if part == "output_text" else "")
    assert accumulated(item, *events).tool_calls == []


@pytest.mark.parametrize("operation", ["create_file", "update_file"])
def test_deltas_extend_diff_of_patch(operation: str) -> None:
    call = added(0, "apply_patch_call", operation={"type": operation, "path": "a", "diff": ""})
    events = events_of("apply_patch_call_operation_diff", "diff")
    diffs = [output(call, *events[:count])[0]["operation"] for count in (1, 2, 3, 4)]
    assert diffs == [{"type": operation, "path": "a", "diff": text} for text in GROWING]


@pytest.mark.parametrize("operation", [ABSENT, {"type": "delete_file", "path": "a"}, {"type": "rename_file"}])
def test_ignores_diff_of_operation_without_diff(operation: Any) -> None:
    item = {"type": "apply_patch_call", **starting("operation", operation)}
    assert output(at(0, "output_item.added", item=item), *events_of("apply_patch_call_operation_diff", "diff")) == [
        item
    ]


def test_content_indexes_select_parts() -> None:
    events = [
        at(0, "output_text.delta", delta="b", content_index=1),
        at(0, "refusal.delta", delta="c", content_index=2),
        at(0, "output_text.delta", delta="a", content_index=0),
        at(0, "output_text.delta", delta="b", content_index=1),
    ]
    a, b, c = output(*events)[0]["content"]
    assert (a["text"], b["text"], c["refusal"]) == ("a", "bb", "c")
    assert accumulated(*events).text == "abb"
