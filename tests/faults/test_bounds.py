"""Attacks without a token, and with large requests, use bounded memory, and other clients are served."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from .bystanders import Bystanders, bystanders
from .memory_attacks import TOKEN
from .processes import Restartable, attack, server
from .traffic import wait_until

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
        ("tiny-events", 256 * MIB),
        ("tiny-messages", 256 * MIB),
        ("large-requests", 512 * MIB),
    ],
)
async def test_bystanders_are_served_and_memory_is_bounded(
    name: str, bound: int, tokens: str, factor: int, report: Callable[[str], None]
) -> None:
    async with server("memory:", *OPTIONS, "--tokens", tokens, files="1024:4096") as process:
        before, beside, peak = await attack_beside_bystanders(name, process, factor, report)
    assert not before.errors
    assert not beside.errors
    assert peak <= bound


async def test_new_clients_can_connect_while_idle_connections_use_the_limit(
    tokens: str, factor: int, report: Callable[[str], None]
) -> None:
    async with server("memory:", *OPTIONS, "--tokens", tokens, files="1024:1024") as process:
        _, beside, _ = await attack_beside_bystanders("idle-connections", process, factor, report)
    assert len(beside.errors) < (len(beside.newcomers) + len(beside.checks)) / 2


async def attack_beside_bystanders(
    name: str, process: Restartable, factor: int, report: Callable[[str], None]
) -> tuple[Bystanders, Bystanders, int]:
    """Runs an attack; returns the bystanders before and during it, and the peak growth of the server's memory."""
    async with bystanders(process.address, TOKEN) as before:
        await wait_until(lambda: len(before.newcomers) >= 10 * factor)
    process.forget_peak()
    usual = process.rss()
    async with attack(name, process, factor) as attacker, bystanders(process.address, TOKEN) as beside:
        await wait_until(lambda: attacker.has_printed("enough") and len(beside.newcomers) >= 20 * factor)
    peak = process.peak() - usual
    report(f"{attacker.output.splitlines()[-1]}; before: {before}; beside: {beside}; memory +{peak // MIB} MiB")
    return before, beside, peak
