"""The languages whose tools are here, built once, and the table of what they passed."""

from collections import Counter
from typing import Final

import pytest

from .languages import LANGUAGES, Language, built

_TALLIES: Final = pytest.StashKey[dict[str, Counter[str]]]()


@pytest.fixture(scope="session", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> Language:
    """A language whose example is built."""
    return built(request.param)


@pytest.fixture
def tally(request: pytest.FixtureRequest, language: Language) -> Counter[str]:
    """What is counted of a language, for the table after the tests."""
    return request.config.stash.setdefault(_TALLIES, {}).setdefault(language.name, Counter())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if tallies := config.stash.get(_TALLIES, None):
        terminalreporter.section("what the languages passed")
        row = "{:<12} {:>8} {:>18} {:>17}".format
        terminalreporter.write_line(row("language", "vectors", "events subscribed", "events published"))
        for language, tally in tallies.items():
            terminalreporter.write_line(row(language, tally["vectors"], tally["subscribed"], tally["published"]))
