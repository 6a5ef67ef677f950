"""The bridge agrees with OpenRouter's SDKs on generated inputs, but for a short list of intended differences."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence

import pytest

from openresponses_grpc import from_json, to_json

from .compare import Terms, Verdict, judge, read
from .generate import Input, generate
from .intended import NODE, PYTHON
from .reading import canonical, without_sign_of_zero
from .sdks import NodeSdk, PythonSdk, Sdk

COUNT = int(os.environ.get("OPENRESPONSES_DIFFERENTIAL", "5000"))
SEED = int(os.environ.get("OPENRESPONSES_DIFFERENTIAL_SEED", "1"))
ENOUGH_FOR_ALL_KINDS = 100_000

pytestmark = [pytest.mark.differential, pytest.mark.timeout(900)]


def report(sdk: Sdk, verdicts: Sequence[Verdict]) -> str:
    """The one line that says how many inputs were tried and how they ended."""
    kinds = Counter(verdict.kind for verdict in verdicts if verdict.kind)
    plain = [verdict for verdict in verdicts if not verdict.kind and not verdict.problem]
    accepted = sum(verdict.accepted for verdict in plain)
    listed = ", ".join(f"{kind}: {count}" for kind, count in sorted(kinds.items()))
    return (
        f"{sdk.name}: {len(verdicts)} inputs tried (seed {SEED}), {accepted} accepted by both with one value,"
        f" {len(plain) - accepted} rejected by both, {kinds.total()} intended differences ({listed}),"
        f" {sum(verdict.problem is not None for verdict in verdicts)} unintended"
    )


def compare(sdk: Sdk, terms: Terms, capsys: pytest.CaptureFixture[str]) -> list[tuple[Input, str]]:
    """Compares on all inputs; returns those that both accept, with the SDK's answers."""
    sdk.install()
    inputs = generate(SEED, COUNT)
    answers = sdk.ask(inputs)
    verdicts = [judge(given, answer, terms) for given, answer in zip(inputs, answers, strict=True)]
    with capsys.disabled():
        print(f"\n{report(sdk, verdicts)}")
    problems = [
        f"{given.message} {given.text[:1000]!a}: {verdict.problem[:2000]}"
        for given, verdict in zip(inputs, verdicts, strict=True)
        if verdict.problem
    ]
    if problems:
        pytest.fail(f"{len(problems)} unintended differences, such as:\n" + "\n".join(problems[:10]), pytrace=False)
    both = [
        (given, answer)
        for given, answer, verdict in zip(inputs, answers, verdicts, strict=True)
        if verdict.accepted and answer is not None
    ]
    # Inputs that are all rejected, or that never reach what is meant to differ, compare nothing.
    assert COUNT / 3 < len(both) < COUNT * 2 / 3
    if COUNT >= ENOUGH_FOR_ALL_KINDS:
        assert {verdict.kind for verdict in verdicts} >= {difference.kind for difference in terms.intended}
    return both


def written(both: Sequence[tuple[Input, str]]) -> list[Input]:
    """What the bridge writes of inputs, as the API would send it: with their extra properties."""
    events = [read(given, answer).event for given, answer in both]
    texts = [to_json(event, naming="snake_case").decode() for event in events if event is not None]
    return [Input(given.message, text) for (given, _), text in zip(both, texts, strict=True)]


def test_npm_sdk(capsys: pytest.CaptureFixture[str]) -> None:
    sdk = NodeSdk()
    both = compare(sdk, NODE, capsys)
    assert sdk.ask(written(both)) == [answer for _, answer in both]
    for _, answer in both:
        assert to_json(from_json(answer, strict=True)).decode() == answer


def test_pypi_sdk(capsys: pytest.CaptureFixture[str]) -> None:
    sdk = PythonSdk()
    both = compare(sdk, PYTHON, capsys)
    for (_, answer), again in zip(both, sdk.ask(written(both)), strict=True):
        assert again is not None
        assert canonical(without_sign_of_zero(again)) == canonical(without_sign_of_zero(answer))
