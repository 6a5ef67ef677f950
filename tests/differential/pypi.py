"""Follows the protocol of npm.mjs with PyPI openrouter, in the environment of that package.

It parses and serializes with the package's `unmarshal_json` and `marshal_json`, which its client calls.
"""

import functools
import importlib
import json
import sys
from typing import Any

serializers: Any = importlib.import_module("openrouter.utils.serializers")
event_class: Any = importlib.import_module("openrouter.components").OpenResponsesStreamEvent

CONFIG = {"populate_by_name": True, "arbitrary_types_allowed": True}
"""The configuration of the package's models."""


def cache_models() -> None:
    """Caches the model that the package otherwise creates in each call, which takes a millisecond."""
    create_model = serializers.create_model

    @functools.cache
    def model_of(name: str, body: Any) -> Any:
        return create_model(name, body=body, __config__=CONFIG)

    def cached(name: str, *, body: Any, __config__: dict[str, bool]) -> Any:
        if __config__ != CONFIG:
            raise RuntimeError(f"unexpected configuration of models: {__config__}")
        return model_of(name, body)

    serializers.create_model = cached


def answer(text: str) -> str | None:
    """The text that the package serializes after parsing, or None if it rejects the text."""
    try:
        value = serializers.unmarshal_json(text, event_class)
    except (ValueError, TypeError):  # TypeError: a `str` with a lone surrogate
        return None
    written: str = serializers.marshal_json(value, event_class)
    return written


if __name__ == "__main__":
    cache_models()
    for line in sys.stdin:
        print(json.dumps([answer(json.loads(line)), False]))
