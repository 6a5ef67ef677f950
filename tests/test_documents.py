"""The documents name tests that there are."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


@pytest.mark.parametrize("document", ["promises.md", "security.md"])
def test_every_promise_names_tests_that_exist(document: str) -> None:
    rows: list[str] = []
    held = False
    for line in (TESTS.parent / "docs" / document).read_text().splitlines():
        held = line.startswith("| ") and (held or "held by" in line)
        if held and "held by" not in line and "---" not in line and "the same" not in line:
            rows.append(line)
    named = [re.findall(r"`([\w/]+\.py)::(\w+)`", row) for row in rows]
    assert len(named) > 10
    for row in named:
        assert row
        for path, name in row:
            assert re.search(rf"^(async )?def {name}\(", (TESTS / path).read_text(), re.MULTILINE), f"{path}::{name}"
