"""Compares the codec with npm's SDK, whose JSON the contract adopts."""

from __future__ import annotations

from openresponses_grpc import EventError, from_json, to_json
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from . import comparison
from .comparison import Comparison, Special
from .generate import Input
from .json_values import is_unicode, levels, loads
from .sdks import Answer
from .texts import ORDER, UNCHECKED_ORDER, compare_texts, nothing_lost
from .typed import untyped
from .verdict import DEEP, LEVELS, DifferenceError, Verdict, read_strictly

SURROGATE = "a lone surrogate is an error"
KINDS = (
    comparison.BOTH_SPELLINGS, comparison.INFINITE, comparison.INSTRUCTIONS, comparison.LARGE_INTEGER,
    comparison.PROTO, comparison.RESULT, comparison.UNKNOWN, DEEP, ORDER, SURROGATE, UNCHECKED_ORDER,
)  # fmt: skip


def judge_npm(given: Input, answer: Answer, special: Special) -> Verdict:
    """Checks that the codec and the SDK accept the same inputs, with the same values."""
    try:
        event = read_strictly(given.text)
        if answer.text is None and isinstance(event, EventError):
            return Verdict(given.type, accepted=False)
        if answer.text is None:
            raise DifferenceError(f"the SDK rejects it; the codec: {event}")
        if isinstance(event, EventError):
            return Verdict(given.type, accepted=False, kinds=frozenset({kind_only_the_sdk_accepts(given.text, event)}))
        return judge_accepted(given, answer, answer.text, event, special)
    except Exception as error:
        problem = str(error) if isinstance(error, DifferenceError) else repr(error)
        return Verdict(given.type, accepted=False, problem=f"{problem}; the SDK: {answer.text or 'rejects it'}")


def kind_only_the_sdk_accepts(text: str, error: EventError) -> str:
    """The kind of an input that only the SDK accepts; raises DifferenceError if it is not intended."""
    if "levels" in error.problem and levels(text) > LEVELS:
        return DEEP
    if "surrogate" in error.problem and not is_unicode(text):
        return SURROGATE
    if ".__proto__" in error.path:
        return comparison.PROTO
    raise DifferenceError(f"the codec: {error!r}")


def judge_accepted(
    given: Input, answer: Answer, theirs: str, event: OpenResponsesStreamEvent, special: Special
) -> Verdict:
    """Checks that the event is typed, has the SDK's value and text, loses nothing, and accepts the SDK's output."""
    if names := list(untyped(event)):
        raise DifferenceError(f"the message has no fields for {names}")
    ours = to_json(event, naming="camelCase").decode()
    values = loads(given.text)
    compared = Comparison(special)
    compared.compare(loads(ours), loads(theirs), values)
    kinds = compared.kinds or compare_texts(ours, theirs, answer.canonical, special)
    back = to_json(event, naming="snake_case", strict=True).decode()
    if not nothing_lost(loads(back), values):
        raise DifferenceError(f"the codec loses data: {back}")
    if comparison.INSTRUCTIONS not in kinds:
        again = to_json(from_json(theirs, naming="camelCase", strict=True), naming="camelCase").decode()
        if compare_texts(again, theirs, True, special) - {UNCHECKED_ORDER}:
            raise DifferenceError(f"the codec converts the SDK's text to {again}")
    return Verdict(given.type, True, ours == theirs, frozenset(kinds))
