"""What the fault tests share: their size and their report."""

import os
from collections.abc import Callable

import pytest

_LINES = pytest.StashKey[list[str]]()


@pytest.fixture
def factor() -> int:
    """How many times as long as in CI a test is to run: `make soak` says so."""
    return int(os.environ.get("OPENRESPONSES_FAULTS", "1"))


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Prints a line after the tests."""
    lines = request.config.stash.setdefault(_LINES, [])
    return lambda line: lines.append(f"{request.node.name}: {line}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if lines := config.stash.get(_LINES, None):
        terminalreporter.section("what the fault tests counted")
        for line in lines:
            terminalreporter.write_line(line)
