"""The masters of a Redis Cluster are killed and started again, one after the other, under load."""

import asyncio
import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from openresponses_grpc import EventStreamClient

from ..stream.redis_server import RedisServer, running_cluster
from .processes import free_port, server
from .traffic import Stream, together
from .validator import Verdict

pytestmark = pytest.mark.faults

RESTARTS = 18

STREAMS = 20
"""Each has a publisher and two subscribers, so that there are 60 clients."""

NODE_TIMEOUT_SECONDS = 1.0
"""The other nodes take a master for failed after this time, and the whole cluster refuses commands."""


def masters(folder: Path) -> list[RedisServer]:
    """Three servers for a cluster, which acknowledge what is on their disks."""
    servers = []
    for number in range(3):
        (folder / str(number)).mkdir()
        durable = ("--appendonly", "yes", "--appendfsync", "always")
        cluster = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
        timeout = ("--cluster-node-timeout", str(round(NODE_TIMEOUT_SECONDS * 1000)))
        servers.append(RedisServer(folder / str(number), free_port(), *durable, *cluster, *timeout))
    return servers


async def test_masters_that_restart_lose_nothing_and_every_client_resumes(
    tmp_path: Path, factor: int, report: Callable[[str], None]
) -> None:
    streams = [Stream(f"s{number}") for number in range(STREAMS)]
    over = False

    async def run(stream: Stream, client: EventStreamClient, other: EventStreamClient) -> None:
        await together(
            stream.publish(client, lambda: over, pause=0.05), stream.subscribe(client), stream.subscribe(other)
        )

    async def restart(masters: list[RedisServer], address: str) -> None:
        nonlocal over
        await together(*(stream.under_way(address, subscribers=2) for stream in streams))
        for number in range(RESTARTS * factor):
            master = masters[number % 3]
            await asyncio.sleep(random.uniform(0, 0.5))
            master.end(signal.SIGKILL)
            # Shorter and longer than it takes the others to notice.
            await asyncio.sleep(random.uniform(0, 3 * NODE_TIMEOUT_SECONDS))
            await asyncio.to_thread(master.start)
            await together(*(stream.goes_on() for stream in streams))
        over = True

    with running_cluster(masters(tmp_path)) as cluster:
        url = cluster[0].url.replace("redis:", "redis+cluster:")
        async with (
            server(url) as one,
            server(url) as two,
            EventStreamClient(f"ipv4:{one.address},{two.address}") as client,
            EventStreamClient(f"ipv4:{two.address},{one.address}") as other,
        ):
            await together(
                restart(cluster, one.address),
                *(run(stream, *random.sample((client, other), 2)) for stream in streams),
            )
            # The clients would not resume after it: their calls would raise.
            lines = (one.output + two.output).splitlines()
    internal = sum("INTERNAL" in line for line in lines)
    unavailable = sum("UNAVAILABLE" in line for line in lines)
    verdict = sum((stream.verdict() for stream in streams), Verdict())
    report(f"restarts {RESTARTS * factor}, calls UNAVAILABLE {unavailable:,}, INTERNAL {internal}, {verdict}")
    assert not internal
    assert not verdict.faults
