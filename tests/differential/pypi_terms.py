"""Compares the codec with PyPI's SDK, which is older than npm's and, with pydantic, converts what zod rejects."""

from __future__ import annotations

import re
from typing import Any

from openresponses_grpc import EventError, EventShapeError, InvalidJSONError, to_json
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from . import comparison
from .comparison import Comparison, Special
from .generate import Input
from .json_values import Number, at, is_infinite, is_unicode, levels, loads
from .sdks import Answer
from .verdict import CONSTANT, DEEP, LEVELS, DifferenceError, Verdict, read_strictly

SDK_LEVELS = 200
INTEGER_DIGITS = 4300
"""The limit of digits for `int` in Python, which pydantic shares."""

DROPPED = "an object of a wrong shape is an error; the SDK drops it"
INFINITE = "1e400 is an error"
NULL = "null for an optional property is an error"
SCALAR = "a scalar of a wrong type is an error"

DIGITS = "an integer may have more than 4300 digits"
MISSING = "instructions may be missing"
PART = "instructions may contain a part without a type"
OVERWRITTEN = "a lone surrogate may be in an overwritten property"

KINDS = (
    comparison.INFINITE, comparison.INSTRUCTIONS, comparison.LARGE_INTEGER, comparison.NULL, comparison.RESULT,
    comparison.UNKNOWN, CONSTANT, DEEP, DIGITS, DROPPED, INFINITE, MISSING, NULL, OVERWRITTEN, PART, SCALAR,
)  # fmt: skip


def judge_pypi(given: Input, answer: Answer, special: Special) -> Verdict:
    """Checks that the codec and the SDK agree, except where npm's SDK differs from this one, too."""
    try:
        event = read_strictly(given.text)
        if isinstance(event, EventError):
            kinds = {kind_only_the_sdk_accepts(given.text, event, answer.text)} if answer.text is not None else set()
            return Verdict(given.type, accepted=False, kinds=frozenset(kinds))
        if answer.text is None:
            return Verdict(given.type, accepted=False, kinds=frozenset({kind_only_the_codec_accepts(given.text)}))
        return judge_accepted(given, answer.text, event, special)
    except Exception as error:
        problem = str(error) if isinstance(error, DifferenceError) else repr(error)
        return Verdict(given.type, accepted=False, problem=f"{problem}; the SDK: {answer.text or 'rejects it'}")


def judge_accepted(given: Input, theirs: str, event: OpenResponsesStreamEvent, special: Special) -> Verdict:
    ours = to_json(event, naming="snake_case").decode()
    compared = Comparison(special, pydantic=True)
    compared.compare(loads(ours), loads(theirs), loads(given.text))
    return Verdict(given.type, True, ours == theirs, frozenset(compared.kinds))


def kind_only_the_sdk_accepts(text: str, error: EventError, answer: str) -> str:
    """The kind of an input that only the SDK accepts; raises DifferenceError if it is not intended."""
    if "levels" in error.problem and levels(text) > LEVELS:
        return DEEP
    if isinstance(error, InvalidJSONError) and re.search(r"NaN|Infinity", text):
        return CONSTANT
    if isinstance(error, EventShapeError):
        values = loads(text)
        value = at(values, error.path)
        steps = [match.end() for match in re.finditer(r"\.[^.\[]+", error.path)]
        if any(at(loads(answer), error.path[:end]) is None is not at(values, error.path[:end]) for end in steps):
            return DROPPED
        if value is None:
            return NULL
        if isinstance(value, Number):
            return INFINITE if is_infinite(value) else SCALAR
        if isinstance(value, str | bool):
            return SCALAR
    raise DifferenceError(f"the codec: {error!r}")


def kind_only_the_codec_accepts(text: str) -> str:
    """The kind of an input that only the codec accepts; raises DifferenceError if it is not intended."""
    if levels(text) > SDK_LEVELS:
        return DEEP
    if not is_unicode(text):
        return OVERWRITTEN
    if re.search(rf"\d{{{INTEGER_DIGITS + 1}}}", text):
        return DIGITS
    response = loads(text).get("response")
    if isinstance(response, dict):
        if "instructions" not in response:
            return MISSING
        if has_part_without_type(response["instructions"]):
            return PART
    raise DifferenceError("the codec accepts it")


def has_part_without_type(instructions: Any) -> bool:
    """Whether a message contains a content part without `type`, which the SDK requires."""
    messages = [one for one in instructions if isinstance(one, dict)] if isinstance(instructions, list) else []
    contents = [message["content"] for message in messages if isinstance(message.get("content"), list)]
    return any(not isinstance(part, dict) or "type" not in part for content in contents for part in content)
