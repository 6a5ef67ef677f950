"""Peers come in hosts, do what is forbidden, or fall silent; the others are served all the while."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from openresponses_grpc import EventStreamClient

from .processes import Restartable, attack, server
from .proxy import Proxy
from .traffic import Stream, until

pytestmark = pytest.mark.faults


class Others:
    """A publisher and a subscriber who go on while something else happens.

    Attributes:
        stream: what they noted.

    """

    def __init__(self, stream_id: str = "others") -> None:
        self.stream = Stream(stream_id)
        self.over = False

    @asynccontextmanager
    async def at(self, address: str, server: Restartable) -> AsyncIterator[None]:
        """They come to `address`, of the server or of a proxy in front of it, for as long as the context lasts."""
        async with (
            EventStreamClient(address) as publisher,
            EventStreamClient(address) as subscriber,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(self.stream.publish(publisher, lambda: self.over))
            group.create_task(self.stream.subscribe(subscriber))
            await self.stream.under_way(server.address, subscribers=1)
            yield
            self.over = True

    async def are_served(self, events: int) -> None:
        """Waits until so many more events are acknowledged and received."""
        (received,) = self.stream.received
        acknowledged, delivered = self.stream.published.acknowledged + events, len(received.digests) + events
        await until(lambda: self.stream.published.acknowledged >= acknowledged and len(received.digests) >= delivered)


@pytest.mark.parametrize("name", ["2000-calls-at-once", "rapid-reset", "garbage", "oversized-messages"])
async def test_others_are_served_beside(name: str, factor: int, report: Callable[[str], None]) -> None:
    others = Others()
    async with (
        server("memory:") as process,
        others.at(process.address, process),
        attack(name, process, factor) as attacker,
    ):
        while "enough" not in attacker.output:
            await others.are_served(100)
    verdict = others.stream.verdict()
    report(f"{attacker.output.splitlines()[-1]}, {verdict}")
    assert not verdict.faults
    assert "rror" not in process.output


async def test_a_connection_that_falls_silent_is_given_up_and_the_others_are_served(
    report: Callable[[str], None],
) -> None:
    others, silenced = Others(), Others("silenced")
    async with server("memory:") as process:
        proxy = Proxy(process.port)
        async with (
            proxy.running() as address,
            others.at(process.address, process),
            silenced.at(address, process),
        ):
            proxy.black_hole()
            await others.are_served(1000)
            await silenced.are_served(1000)
    verdict = others.stream.verdict() + silenced.stream.verdict()
    report(str(verdict))
    assert not verdict.faults
