"""Fixtures of the fault tests: their duration and their report."""

import os
from collections.abc import Callable
from typing import Final

import pytest

COUNTED: Final = "counted"
"""The name of the test properties with report lines. Properties also reach the summary from xdist workers."""


@pytest.fixture
def factor() -> int:
    """The duration of a test as a multiple of its duration in CI; `make soak` sets it."""
    return int(os.environ.get("OPENRESPONSES_FAULTS", "1"))


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Adds a line to the report that follows the tests."""
    return lambda line: request.node.user_properties.append((COUNTED, f"{request.node.name}: {line}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    ended = [report for report in terminalreporter.getreports("") if isinstance(report, pytest.TestReport)]
    lines = [
        line
        for report in ended
        if report.when == "teardown"
        for name, line in report.user_properties
        if name == COUNTED
    ]
    if lines:
        terminalreporter.section("results of the fault tests")
        for line in sorted(map(str, lines)):
            terminalreporter.write_line(line)
