"""Callers without a token, and callers with too much, take no more than their bound; the others are served beside."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from .innocents import innocents
from .processes import attack, server
from .strangers import TOKEN
from .traffic import until

pytestmark = pytest.mark.faults

MIB = 1 << 20


@pytest.fixture
def tokens(tmp_path: Path) -> str:
    file = tmp_path / "tokens.toml"
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    file.write_text(f'[[token]]\nname = "known"\nsha256 = "{digest}"\nmay = ["publish", "subscribe"]\nstreams = "*"\n')
    return str(file)


@pytest.mark.parametrize(
    "name, bound",
    [
        ("long-names", 64 * MIB),
        ("unfinished-messages", 64 * MIB),
        ("gzip-bombs", 64 * MIB),
        ("idle-connections", 64 * MIB),
        ("tiny-events", 512 * MIB),
        ("tiny-messages", 512 * MIB),
        ("large-requests", 1024 * MIB),
    ],
)
async def test_innocents_are_served_and_memory_is_bounded(
    name: str, bound: int, tokens: str, factor: int, report: Callable[[str], None]
) -> None:
    options = ("--tokens", tokens, "--max-bytes", "300MiB", "--log-level", "error")
    async with server("memory:", *options, files=1024) as process:
        async with innocents(process.address, TOKEN) as before:
            await until(lambda: len(before.newcomers) >= 10 * factor)
        process.forget_peak()
        usual = process.rss()
        async with attack(name, process, factor) as attacker, innocents(process.address, TOKEN) as beside:
            await until(lambda: attacker.has_printed("enough") and len(beside.newcomers) >= 20 * factor)
        peak = process.peak() - usual
    report(f"{attacker.output.splitlines()[-1]}; before: {before}; beside: {beside}; memory +{peak // MIB} MiB")
    assert not before.errors
    assert not beside.errors
    assert peak <= bound
