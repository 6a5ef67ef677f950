"""The codec agrees with the SDKs on generated inputs, except for a short list of intended differences."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from . import npm_terms, openai_terms, pypi_terms
from .comparison import Special, special_names
from .generate import Input, generate
from .schema import Events, read_events
from .sdks import NPM, OPENAI, PYPI, Answer, Sdk
from .verdict import Verdict

COUNT = int(os.environ.get("OPENRESPONSES_DIFFERENTIAL", "5000"))
"""The number of inputs for the npm SDK, which defines strict parsing. The other SDKs get half as many."""

SEED = int(os.environ.get("OPENRESPONSES_DIFFERENTIAL_SEED", "1"))
ENOUGH_FOR_ALL_KINDS = 100_000

pytestmark = [pytest.mark.differential, pytest.mark.timeout(900)]

Judge = Callable[[Input, Answer, Special], Verdict]


def compare_all(
    sdk: Sdk, events: Events, count: int, judge: Judge, kinds: Iterable[str], capsys: pytest.CaptureFixture[str]
) -> list[Verdict]:
    """Compares all inputs, prints the counts, and fails on any unintended difference."""
    special = special_names(events)
    problems: list[str] = []
    verdicts = []
    for given, answer in sdk.ask(generate(events, SEED, count)):
        verdict = judge(given, answer, special)
        verdicts.append(verdict)
        if verdict.problem is not None and len(problems) < 10:
            problems.append(f"{given.text[:1000]!a}: {verdict.problem[:2000]}")
    with capsys.disabled():
        print("\n" + "\n".join(report(sdk, verdicts)))
    unintended = sum(verdict.problem is not None for verdict in verdicts)
    if unintended:
        pytest.fail(f"{unintended} unintended differences, such as:\n" + "\n".join(problems), pytrace=False)
    assert len(verdicts) == count
    assert {verdict.type for verdict in verdicts} == events.by_type.keys()
    # The comparison is only meaningful with enough accepted and enough rejected inputs.
    assert count / 3 < sum(verdict.accepted for verdict in verdicts) < count * 4 / 5
    found = {kind for verdict in verdicts for kind in verdict.kinds}
    assert found <= set(kinds)
    if COUNT >= ENOUGH_FOR_ALL_KINDS:
        assert found == set(kinds)
    return verdicts


def report(sdk: Sdk, verdicts: list[Verdict]) -> Iterator[str]:
    """The counts by event type and by kind of intended difference."""
    columns: dict[str, Callable[[Verdict], bool]] = {
        "inputs": lambda verdict: True,
        "accepted": lambda verdict: verdict.accepted,
        "identical": lambda verdict: verdict.identical,
        "rejected": lambda verdict: not verdict.accepted and not verdict.kinds and verdict.problem is None,
        "intended": lambda verdict: bool(verdict.kinds),
        "unintended": lambda verdict: verdict.problem is not None,
    }
    yield f"{sdk.name}: {len(verdicts)} inputs (seed {SEED})"
    yield f"{'':50}" + "".join(f"{column:>13}" for column in columns)
    for type in [*sorted({verdict.type for verdict in verdicts}), "all"]:
        chosen = [verdict for verdict in verdicts if type in (verdict.type, "all")]
        yield f"{type:50}" + "".join(f"{sum(map(counts, chosen)):13}" for counts in columns.values())
    for kind, count in Counter(kind for verdict in verdicts for kind in verdict.kinds).most_common():
        yield f"  intended: {kind}: {count}"


def test_npm_sdk(capsys: pytest.CaptureFixture[str]) -> None:
    verdicts = compare_all(NPM, read_events(NPM.schema()), COUNT, npm_terms.judge_npm, npm_terms.KINDS, capsys)
    assert sum(verdict.identical for verdict in verdicts) > COUNT / 3


def test_pypi_sdk(capsys: pytest.CaptureFixture[str]) -> None:
    schema = NPM.schema()
    require_instructions(schema)  # like this SDK
    compare_all(PYPI, read_events(schema), COUNT // 2, pypi_terms.judge_pypi, pypi_terms.KINDS, capsys)


def require_instructions(schema: Any) -> None:
    """Makes `instructions` required wherever a schema has them."""
    if isinstance(schema, dict):
        if "instructions" in schema.get("properties", {}):
            schema["required"].append("instructions")
        for part in schema.values():
            require_instructions(part)
    elif isinstance(schema, list):
        for part in schema:
            require_instructions(part)


def test_openai_models(capsys: pytest.CaptureFixture[str]) -> None:
    compare_all(OPENAI, read_events(OPENAI.schema()), COUNT // 2, openai_terms.judge_openai, openai_terms.KINDS, capsys)
