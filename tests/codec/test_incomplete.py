"""A message without a JSON representation raises IncompleteEventError with a path and a problem."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

import pytest

from openresponses_grpc import IncompleteEventError, from_json, protobuf_to_json, to_json
from openresponses_grpc.codec._schema import Naming

COMPLETED = json.dumps(
    {
        "type": "response.completed",
        "response": {
            "created_at": 1,
            "output": [
                {"type": "message", "content": [{"type": "output_text", "text": "a", "logprobs": [{"bytes": [1, 2]}]}]},
                {"type": "web_search_call", "action": {"type": "search", "queries": ["q"]}},
                {"type": "file_search_call", "results": [{"attributes": {"a b": 1}}]},
            ],
            "metadata": {"a": "b", "c": "d"},
            "tools": [{"type": "function", "parameters": {}}],
            "tool_choice": "auto",
            "input_transformations": [1],
        },
    }
)

Change = Callable[[Any], object]
NaN = math.nan


def text(response: Any) -> Any:
    return response.output.items[0].message.content.items[0].output_text


def attribute(response: Any) -> Any:
    return response.output.items[2].file_search_call.results.items[0].attributes.entries[0]


def set_extra(extra: str) -> Change:
    return lambda response: setattr(response, "extra_json", extra)


def set_deep_extra(extra: str) -> Change:
    return lambda response: setattr(text(response), "extra_json", extra)


TEXT = "$.response.output[0].content[0]"
# A change of `response`, the path of the fault in camelCase, and a part of the error's problem.
TABLE: dict[str, tuple[Change, str, str]] = {
    "an item without a member": (
        lambda r: r.output.items.add(),
        "$.response.output[3]",
        "no member of ResponsesOutputItem",
    ),
    "a tool choice without a member": (lambda r: r.tool_choice.Clear(), "$.response.toolChoice", "no member of"),
    "an action without a member": (
        lambda r: r.output.items[1].web_search_call.action.ClearField("kind"),
        "$.response.output[1].action",
        "no member of",
    ),
    "NaN": (lambda r: setattr(r, "created_at", NaN), "$.response.createdAt", "cannot represent the number nan"),
    "an infinite number": (
        lambda r: setattr(r, "created_at", math.inf),
        "$.response.createdAt",
        "cannot represent the number inf",
    ),
    "NaN in a list": (
        lambda r: text(r).logprobs.items[0].bytes.items.append(NaN),
        f"{TEXT}.logprobs[0].bytes[2]",
        "cannot represent the number nan",
    ),
    "NaN in a map": (
        lambda r: setattr(attribute(r).value, "number", NaN),
        '$.response.output[2].results[0].attributes["a b"]',
        "cannot represent the number nan",
    ),
    "two entries with the same name": (
        lambda r: r.metadata.entries.add(name="a", value="x"),
        "$.response.metadata",
        "two entries named 'a'",
    ),
    "an entry without a name": (lambda r: r.metadata.entries[0].ClearField("name"), "$.response.metadata", "no name"),
    "an entry without a value": (
        lambda r: attribute(r).ClearField("value"),
        "$.response.output[2].results[0].attributes",
        "no value",
    ),
    "empty JSON text": (
        lambda r: setattr(r.tools.items[0].function, "parameters_json", ""),
        "$.response.tools[0].parameters",
        "`parameters_json`",
    ),
    "JSON text that is not an object": (
        lambda r: setattr(r.tools.items[0].function, "parameters_json", "[]"),
        "$.response.tools[0].parameters",
        "a JSON object",
    ),
    "JSON text that is null": (
        lambda r: setattr(r, "input_transformations_json", " null "),
        "$.response.inputTransformations",
        "`input_transformations_json`",
    ),
    "JSON text with trailing text": (
        lambda r: setattr(r, "input_transformations_json", '1,"id":2'),
        "$.response.inputTransformations",
        "`input_transformations_json`",
    ),
    "extra_json with the type": (set_deep_extra('{"type":"x"}'), f"{TEXT}.type", "'output_text'"),
    "extra_json with the name of a set field": (set_deep_extra('{"text":1}'), f"{TEXT}.text", "`text` is set"),
    "extra_json with the escaped name of a field": (
        set_deep_extra(r'{"\u0074ext":1}'),
        f"{TEXT}.text",
        "`text` is set",
    ),
    "extra_json with the name of a set message": (
        set_extra('{"tool_choice":null}'),
        "$.response.toolChoice",
        "`tool_choice` is set",
    ),
    "an item with empty JSON": (
        lambda r: r.output.items[0].unrecognized.SetInParent(),
        "$.response.output[0]",
        "`json` of the unrecognized value is empty",
    ),
    "an item with trailing text after its JSON": (
        lambda r: setattr(r.output.items[0].unrecognized, "json", "1,2"),
        "$.response.output[0]",
        "`json` of the unrecognized value is not JSON",
    ),
}
for wrong in (
    "",
    " ",
    "[]",
    "null",
    '"a"',
    "{",
    '{"a":1}x',
    '{"a":1},"b":2',
    '{"a":NaN}',
    '{"a":1e}',
    "{'a':1}",
    '{"a":"\n"}',
):
    TABLE[f"extra_json {wrong!r}"] = (set_deep_extra(wrong), TEXT, "`extra_json`")
for deep in ("[" * 100 + "]" * 100, "[" * 100_000):
    TABLE[f"extra_json with {len(deep)} brackets"] = (set_extra(f'{{"a":{deep}}}'), "$.response", "100 levels")
    TABLE[f"an item with {len(deep)} brackets"] = (
        lambda r, deep=deep: setattr(r.output.items[0].unrecognized, "json", f"[{deep}]"),  # type: ignore[misc]
        "$.response.output[0]",
        "100 levels",
    )


@pytest.mark.parametrize("change, path, problem", TABLE.values(), ids=TABLE)
@pytest.mark.parametrize("naming", ["camelCase", "snake_case"])
def test_error_locates_fault(change: Change, path: str, problem: str, naming: Naming) -> None:
    made = from_json(COMPLETED)
    change(made.completed.response)
    snake = re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", path)
    with pytest.raises(IncompleteEventError) as caught:
        to_json(made, naming=naming)
    assert caught.value.path == (path if naming == "camelCase" else snake)
    assert problem in caught.value.problem
    with pytest.raises(IncompleteEventError) as caught_again:
        protobuf_to_json(made.SerializeToString(), naming=naming)
    assert str(caught_again.value) == str(caught.value)


def test_serializes_event_without_fault() -> None:
    assert json.loads(to_json(from_json(COMPLETED), naming="snake_case")) == json.loads(COMPLETED)
