"""The documents name tests that there are."""

import re
from pathlib import Path

TESTS = Path(__file__).parent


def test_every_promise_names_tests_that_exist() -> None:
    rows = [line for line in (TESTS.parent / "docs/promises.md").read_text().splitlines() if line.startswith("| ")]
    named = [re.findall(r"`([\w/]+\.py)::(\w+)`", row) for row in rows if "held by" not in row and "---" not in row]
    assert len(named) > 20
    for row in named:
        assert row
        for path, name in row:
            assert re.search(rf"^(async )?def {name}\(", (TESTS / path).read_text(), re.MULTILINE), f"{path}::{name}"
