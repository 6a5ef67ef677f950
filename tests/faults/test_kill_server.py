"""The server is killed, and started again over the same file."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from .processes import server
from .traffic import Stream

pytestmark = pytest.mark.faults


async def test_kill_9_of_the_server_loses_nothing(tmp_path: Path, factor: int, report: Callable[[str], None]) -> None:
    stream = Stream("s")
    store = f"sqlite:{tmp_path / 'streams.db'}"
    async with server(store) as process, stream.traffic(process.address, subscribers=20):
        for kill in range(30 * factor):
            # Two of three while events flow, the third perhaps while everyone is coming back.
            if kill % 3:
                await stream.goes_on()
            await asyncio.sleep(random.uniform(0, 0.5))
            await process.kill()
            await process.start()
    verdict = stream.verdict()
    report(f"kills {process.kills}, {verdict}")
    assert not verdict.faults
