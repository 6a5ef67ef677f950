"""Answers as npm.mjs does, but with PyPI openrouter, in whose own environment this file runs.

Reading and writing are the package's own `unmarshal_json` and `marshal_json`, which its client calls.
"""

import functools
import importlib
import json
import sys
from typing import Any

serializers: Any = importlib.import_module("openrouter.utils.serializers")
event_class: Any = importlib.import_module("openrouter.components").OpenResponsesStreamEvent

CONFIG = {"populate_by_name": True, "arbitrary_types_allowed": True}
"""What the package makes its models with."""


def remember_models() -> None:
    """Keeps the model that the package otherwise makes anew, from the same class, in each call (a millisecond)."""
    create_model = serializers.create_model

    @functools.cache
    def model_of(name: str, body: Any) -> Any:
        return create_model(name, body=body, __config__=CONFIG)

    def remembered(name: str, *, body: Any, __config__: dict[str, bool]) -> Any:
        if __config__ != CONFIG:
            raise RuntimeError(f"the package makes its models with {__config__}")
        return model_of(name, body)

    serializers.create_model = remembered


def answer(text: str) -> str | None:
    """The JSON text of the value that the package reads, or None where it rejects the text."""
    try:
        value = serializers.unmarshal_json(text, event_class)
    except (ValueError, TypeError):  # TypeError: a `str` that is not Unicode text
        return None
    written: str = serializers.marshal_json(value, event_class)
    return written


if __name__ == "__main__":
    remember_models()
    for line in sys.stdin:
        print(json.dumps([answer(json.loads(line)), False]))
