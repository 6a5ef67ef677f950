"""Connections that break around acknowledgements and events."""

import asyncio
import random
from collections.abc import Callable, Iterable

import pytest

from openresponses_grpc import AsyncEventStreamClient, EventStreamClient

from .processes import Restartable, server
from .proxy import REPLIES, Cut, Proxy
from .traffic import Stream, together
from .validator import Verdict

pytestmark = pytest.mark.faults


class RandomCuts:
    """Breaks connections at random messages, until all cuts are made.

    Only some messages of a connection are hit. If every first message were, clients would make no progress and wait
    ever longer before they reconnect.

    Args:
        cuts: the number of cuts.
        kinds: the kinds of cuts.

    Attributes:
        left: the number of cuts still to be made.

    """

    def __init__(self, cuts: int, kinds: Iterable[Cut]) -> None:
        self.left = cuts
        self.active = False
        self._made = dict.fromkeys(kinds, 0)

    def draw(self, kinds: tuple[Cut, ...]) -> Cut | None:
        cut = random.choice(kinds)
        if cut not in self._made or not self.active or not self.left or random.random() > 0.1 * len(kinds):
            return None
        self.left -= 1
        self._made[cut] += 1
        return cut

    def __str__(self) -> str:
        return f"{sum(self._made.values()):,} (" + ", ".join(f"{cut} {n:,}" for cut, n in self._made.items()) + ")"


async def test_1000_dropped_connections_lose_and_repeat_nothing(factor: int, report: Callable[[str], None]) -> None:
    at_acknowledgements, at_events = RandomCuts(1000 * factor, Cut), RandomCuts(200 * factor, REPLIES)
    streams = [Stream(f"s{number}") for number in range(12)]

    def enough() -> bool:
        return not at_acknowledgements.left and not at_events.left

    async def run(stream: Stream, process: Restartable, *, in_threads: bool) -> None:
        async with (
            Proxy(process.port, at_acknowledgements.draw).running() as publishing,
            Proxy(process.port, at_events.draw).running() as subscribing,
            AsyncEventStreamClient(process.address) as direct,
        ):
            if in_threads:
                with EventStreamClient(publishing) as publisher, EventStreamClient(subscribing) as subscriber:
                    await together(
                        stream.subscribe(direct),
                        asyncio.to_thread(stream.publish_in_thread, publisher, enough),
                        asyncio.to_thread(stream.subscribe_in_thread, subscriber),
                    )
            else:
                async with AsyncEventStreamClient(publishing) as client, AsyncEventStreamClient(subscribing) as other:
                    await together(stream.subscribe(direct), stream.publish(client, enough), stream.subscribe(other))

    async def cut(process: Restartable) -> None:
        for stream in streams:
            await stream.wait_until_started(process.address, subscribers=2)
        at_acknowledgements.active = at_events.active = True

    async with server("memory:") as process:
        await together(
            cut(process), *(run(stream, process, in_threads=place % 6 == 0) for place, stream in enumerate(streams))
        )
    verdict = sum((stream.verdict() for stream in streams), Verdict())
    report(f"cuts at acknowledgements {at_acknowledgements}, cuts at events {at_events}, {verdict}")
    assert not verdict.faults
