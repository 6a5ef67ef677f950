"""What the fault tests share: their size and their report."""

import os
from collections.abc import Callable
from typing import Final

import pytest

COUNTED: Final = "counted"
"""The name of the properties that hold a test's report: they reach the summary from other processes, too."""


@pytest.fixture
def factor() -> int:
    """How many times as long as in CI a test runs; `make soak` sets it."""
    return int(os.environ.get("OPENRESPONSES_FAULTS", "1"))


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Prints a line after the tests."""
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
        terminalreporter.section("what the fault tests counted")
        for line in sorted(map(str, lines)):
            terminalreporter.write_line(line)
