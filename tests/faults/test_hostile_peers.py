"""Peers that open thousands of calls, violate the protocol or fall silent do not affect others."""

from collections.abc import Callable

import pytest

from .processes import attack, server
from .proxy import Proxy
from .traffic import Stream

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("name", ["2000-calls-at-once", "rapid-reset", "garbage", "oversized-messages"])
async def test_others_are_served_during_an_attack(name: str, factor: int, report: Callable[[str], None]) -> None:
    stream = Stream("others")
    async with (
        server("memory:") as process,
        stream.traffic(process.address, subscribers=5),
        attack(name, process, factor) as attacker,
    ):
        while not attacker.has_printed("enough"):
            await stream.wait_for_progress(10)
    verdict = stream.verdict()
    report(f"{attacker.output.splitlines()[-1]}, {verdict}")
    assert not verdict.faults
    assert "rror" not in process.output


async def test_a_silent_connection_is_closed_and_others_are_served(
    report: Callable[[str], None],
) -> None:
    stream, silenced = Stream("others"), Stream("silenced")
    async with server("memory:") as process:
        proxy = Proxy(process.port)
        async with (
            proxy.running() as address,
            stream.traffic(process.address, subscribers=5),
            silenced.traffic(address, subscribers=5),
        ):
            proxy.black_hole()
            await stream.wait_for_progress(1000)
            await silenced.wait_for_progress(1000)
    verdict = stream.verdict() + silenced.verdict()
    report(str(verdict))
    assert not verdict.faults
