"""Callers without a token, and callers with too much, take no more than their bound; the others are served beside."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from .innocents import Innocents, innocents
from .processes import Restartable, attack, server
from .strangers import TOKEN
from .traffic import until

pytestmark = [pytest.mark.faults, pytest.mark.alone]

MIB = 1 << 20
OPTIONS = ("--max-bytes", "300MiB", "--log-level", "error")


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
        ("tiny-events", 1024 * MIB),
        ("tiny-messages", 1024 * MIB),
        ("large-requests", 1024 * MIB),
    ],
)
async def test_innocents_are_served_and_memory_is_bounded(
    name: str, bound: int, tokens: str, factor: int, report: Callable[[str], None]
) -> None:
    async with server("memory:", *OPTIONS, "--tokens", tokens, files="1024:4096") as process:
        before, beside, peak = await seen_beside(name, process, factor, report)
    assert not before.errors
    assert not beside.errors
    assert peak <= bound


async def test_newcomers_find_room_where_idle_connections_take_all_of_it(
    tokens: str, factor: int, report: Callable[[str], None]
) -> None:
    async with server("memory:", *OPTIONS, "--tokens", tokens, files="1024:1024") as process:
        _, beside, _ = await seen_beside("idle-connections", process, factor, report)
    assert len(beside.errors) < (len(beside.newcomers) + len(beside.checks)) / 2


async def seen_beside(
    name: str, process: Restartable, factor: int, report: Callable[[str], None]
) -> tuple[Innocents, Innocents, int]:
    """What innocents see before an attack and beside it, and by how many bytes the server's memory grows at most."""
    async with innocents(process.address, TOKEN) as before:
        await until(lambda: len(before.newcomers) >= 10 * factor)
    process.forget_peak()
    usual = process.rss()
    async with attack(name, process, factor) as attacker, innocents(process.address, TOKEN) as beside:
        await until(lambda: attacker.has_printed("enough") and len(beside.newcomers) >= 20 * factor)
    peak = process.peak() - usual
    report(f"{attacker.output.splitlines()[-1]}; before: {before}; beside: {beside}; memory +{peak // MIB} MiB")
    return before, beside, peak
