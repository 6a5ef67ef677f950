"""How three kinds of servers write the same events: their properties, the order, and the nulls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Api:
    """The conventions of one server."""

    model: str
    response: Mapping[str, Any]
    """Default properties of the response object, in the server's order."""
    usage: Mapping[str, Any] = field(default_factory=dict)
    """Properties of the usage in addition to the token counts."""
    obfuscation: bool = False
    """Whether deltas are padded to hide their length."""
    logprobs: bool = True
    """Whether text events and text parts have `logprobs`, which are empty by default."""
    sequence_first: bool = False
    """Whether `sequence_number` precedes the other properties."""
    arguments_name: bool = False
    """Whether the event at the end of a call's arguments repeats the function name."""


HOSTED = Api(
    model="gpt-5-mini-2025-08-07",
    obfuscation=True,
    sequence_first=True,
    response={
        "id": "",
        "object": "response",
        "created_at": 0,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "max_tool_calls": None,
        "model": "",
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "prompt_cache_key": None,
        "prompt_cache_retention": None,
        "reasoning": {"effort": "medium", "summary": None},
        "safety_identifier": None,
        "service_tier": "auto",
        "store": True,
        "temperature": 1,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1,
        "truncation": "disabled",
        "usage": None,
        "user": None,
        "metadata": {},
    },
)

LOCAL = Api(
    model="qwen3-8b-instruct",
    response={
        "id": "",
        "object": "response",
        "created_at": 0,
        "completed_at": None,
        "status": "in_progress",
        "incomplete_details": None,
        "model": "",
        "previous_response_id": None,
        "instructions": None,
        "output": [],
        "error": None,
        "tools": [],
        "tool_choice": "auto",
        "truncation": "auto",
        "parallel_tool_calls": True,
        "text": {"format": {"type": "text"}},
        "top_p": 0.95,
        "presence_penalty": 0,
        "frequency_penalty": 1.1,
        "top_logprobs": 0,
        "temperature": 0.8,
        "reasoning": {"summary": None, "effort": None},
        "usage": None,
        "max_output_tokens": None,
        "max_tool_calls": None,
        "store": True,
        "background": False,
        "service_tier": "default",
        "metadata": {},
        "safety_identifier": None,
        "prompt_cache_key": None,
    },
)

ROUTER = Api(
    model="mistralai/mistral-small-3.2-24b-instruct",
    logprobs=False,
    arguments_name=True,
    usage={
        "cost": 0.0002134,
        "is_byok": False,
        "cost_details": {
            "upstream_inference_cost": None,
            "upstream_inference_input_cost": 0.0000812,
            "upstream_inference_output_cost": 0.0001322,
        },
    },
    response={
        "object": "response",
        "id": "",
        "created_at": 0,
        "model": "",
        "status": "in_progress",
        "output": [],
        "error": None,
        "incomplete_details": None,
        "tools": [],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "max_output_tokens": None,
        "temperature": None,
        "top_p": None,
        "metadata": {},
        "background": False,
        "previous_response_id": None,
        "service_tier": "auto",
        "truncation": "disabled",
        "store": False,
        "instructions": None,
        "reasoning": None,
        "safety_identifier": None,
        "prompt_cache_key": None,
        "user": None,
    },
)
