"""Compares what an SDK makes of an input with what the bridge makes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from openresponses.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc import EventError, from_json, to_json
from openresponses_grpc.codec import Naming

from .events import EVENT_TYPES
from .generate import Input
from .reading import canonical, loads, pairs, without_sign_of_zero


class Case(NamedTuple):
    """An input and the answers to it.

    Attributes:
        given: the input.
        answer: the SDK's JSON text, None where it rejects the input.
        event: the bridge's event, None where it rejects the input or reads it as an event of another type.
        error: why the bridge rejects it.
    """

    given: Input
    answer: str | None
    event: OpenResponsesStreamEvent | None
    error: EventError | None


class Intended(NamedTuple):
    """A difference that is meant to be.

    Attributes:
        kind: its name in the report.
        reason: why the bridge differs.
        covers: whether a case in which one side accepts and the other rejects is of this kind.
    """

    kind: str
    reason: str
    covers: Callable[[Case], bool]


class Terms(NamedTuple):
    """On which terms an SDK and the bridge are compared.

    Attributes:
        naming: how the SDK spells the properties in its answers.
        to_the_byte: whether its answers are written as `JSON.stringify` writes; otherwise their values are compared.
        intended: the differences that are meant to be.
    """

    naming: Naming
    to_the_byte: bool
    intended: tuple[Intended, ...]


class Verdict(NamedTuple):
    """How a case ends: `kind` names an intended difference, `problem` says what an unintended one is."""

    accepted: bool
    kind: str | None = None
    problem: str | None = None


SIGN_OF_ZERO = "the sign of zero"
"""The one intended difference between values: both accept. `JSON.stringify(-0)` is `0`, and Python keeps the sign."""


def judge(given: Input, answer: str | None, terms: Terms) -> Verdict:
    """Demands that the bridge accepts what the SDK accepts, as the same event, and raises EventError otherwise."""
    try:
        case = read(given, answer)
        if case.event is not None and case.answer is not None:
            return judge_accepted(given, case.answer, case.event, terms)
        if case.event is None and case.answer is None:
            return Verdict(accepted=False)
        for difference in terms.intended:
            if difference.covers(case):
                return Verdict(accepted=False, kind=difference.kind)
        ours = case.error if case.event is None else to_json(case.event, naming=terms.naming)
        return Verdict(accepted=False, problem=f"the SDK: {answer or 'rejects it'}; the bridge: {ours!r}")
    except Exception as error:
        return Verdict(accepted=False, problem=f"the bridge raised {error!r}; the SDK: {answer or 'rejects it'}")


def read(given: Input, answer: str | None) -> Case:
    """What the bridge makes of an input, beside the SDK's answer."""
    try:
        event = from_json(given.text, naming="snake_case", strict=True)
    except EventError as error:
        return Case(given, answer, None, error)
    wanted = event.WhichOneof("event") == EVENT_TYPES[given.message].arm
    return Case(given, answer, event if wanted else None, None)


def judge_accepted(given: Input, answer: str, event: OpenResponsesStreamEvent, terms: Terms) -> Verdict:
    """Demands the same text, and besides what the SDK cannot show: the sign of zero, and the extra properties."""
    named = OpenResponsesStreamEvent()
    named.CopyFrom(event)
    named.ClearField("extra_json")
    text = to_json(named, naming=terms.naming).decode()
    kind = None
    if text != answer and (terms.to_the_byte or canonical(pairs(text)) != canonical(pairs(answer))):
        if terms.to_the_byte or canonical(without_sign_of_zero(text)) != canonical(without_sign_of_zero(answer)):
            return Verdict(accepted=True, problem=f"the SDK: {answer}; the bridge: {text}")
        kind = SIGN_OF_ZERO
    problem = message_problem(given, event) or extra_problem(given, event, text, terms.naming)
    return Verdict(accepted=True, kind=kind, problem=problem)


def message_problem(given: Input, event: OpenResponsesStreamEvent) -> str | None:
    """Demands that the message holds the very values of the input."""
    event_type, properties = EVENT_TYPES[given.message], loads(given.text)
    message = getattr(event, event_type.arm)
    for field in event_type.fields:
        if repr(getattr(message, field.name)) != repr(properties[field.name]):
            return f"{field.name} is {getattr(message, field.name)!r} in the message"
    return None


def extra_problem(given: Input, event: OpenResponsesStreamEvent, text: str, naming: Naming) -> str | None:
    """Demands that the whole event's JSON is `text` with exactly the extra properties of the input."""
    named = {"type", *(field.name for field in EVENT_TYPES[given.message].fields)}
    extra = {name: value for name, value in loads(given.text).items() if name not in named}
    whole = to_json(event, naming=naming).decode()
    if canonical(pairs(whole)) == canonical([*pairs(text), *extra.items()]):
        return None
    return f"the bridge writes the whole event as {whole}"
