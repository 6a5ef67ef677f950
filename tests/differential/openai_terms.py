"""Compares the codec with openai-python's models: accepted events are typed, and all events round-trip."""

from __future__ import annotations

import re

from openresponses_grpc import EventError, InvalidJSONError, from_json, to_json

from .comparison import Special
from .generate import Input
from .json_values import levels, loads
from .sdks import Answer
from .texts import nothing_lost
from .verdict import CONSTANT, DEEP, LEVELS, DifferenceError, Verdict

KINDS = (CONSTANT, DEEP)


def judge_openai(given: Input, answer: Answer, special: Special) -> Verdict:
    """Checks that an event round-trips, and that an event that the models accept is typed."""
    accepted = answer.text is not None
    try:
        return judge(given, accepted)
    except Exception as error:
        problem = str(error) if isinstance(error, DifferenceError) else repr(error)
        return Verdict(given.type, accepted=accepted, problem=problem)


def judge(given: Input, accepted: bool) -> Verdict:
    try:
        event = from_json(given.text)
    except EventError as error:
        if not accepted:
            return Verdict(given.type, accepted=False)
        if "levels" in error.problem and levels(given.text) > LEVELS:
            return Verdict(given.type, accepted=False, kinds=frozenset({DEEP}))
        if isinstance(error, InvalidJSONError) and re.search(r"NaN|Infinity", given.text):
            return Verdict(given.type, accepted=False, kinds=frozenset({CONSTANT}))
        raise DifferenceError(f"the codec: {error!r}") from error
    if accepted and event.WhichOneof("kind") == "unrecognized":
        raise DifferenceError("the event is not typed")
    text = to_json(event, naming="snake_case").decode()
    if not nothing_lost(loads(text), loads(given.text)):
        raise DifferenceError(f"the codec writes {text}")
    camel = to_json(event, naming="camelCase")
    again = to_json(from_json(camel), naming="snake_case").decode()
    if not nothing_lost(loads(again), loads(given.text)):
        raise DifferenceError(f"the codec writes {camel.decode()}, and converts it to {again}")
    return Verdict(given.type, accepted, text == given.text)
