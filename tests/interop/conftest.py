"""Languages with their examples built once, and a summary table of their results."""

from collections import Counter
from typing import Final

import pytest

from .languages import LANGUAGES, Language, built

_TALLIES: Final = pytest.StashKey[dict[str, Counter[str]]]()


@pytest.fixture(scope="session", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> Language:
    """A language with its example built."""
    return built(request.param)


@pytest.fixture
def tally(request: pytest.FixtureRequest, language: Language) -> Counter[str]:
    """The counters of a language for the summary table."""
    return request.config.stash.setdefault(_TALLIES, {}).setdefault(language.name, Counter())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if tallies := config.stash.get(_TALLIES, None):
        terminalreporter.section("interoperability by language")
        row = "{:<12} {:>8} {:>18} {:>17}".format
        terminalreporter.write_line(row("language", "vectors", "events subscribed", "events published"))
        for language, tally in tallies.items():
            terminalreporter.write_line(row(language, tally["vectors"], tally["subscribed"], tally["published"]))
