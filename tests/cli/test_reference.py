"""docs/cli.md matches the help of the command."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "environment",
    [{}, {"COLUMNS": "40", "OPENRESPONSES_SERVER": "example.org:443", "OPENRESPONSES_MAX_CALLS": "7"}],
    ids=["as it is", "a narrow terminal, and options in the environment"],
)
def test_the_command_reference_matches_the_command(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/cli_reference.py"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | environment,
    )
    assert done.stdout == (ROOT / "docs/cli.md").read_text(), "write it anew with: make cli-reference"
