"""`kill -9` and restart of the primaries of a Redis Cluster, one after the other, under load."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis import Redis

from openresponses_grpc import AsyncEventStreamClient

from ..support.redis_server import RedisServer, running_cluster, running_replicas
from .processes import free_port, server
from .traffic import Stream, together
from .validator import Verdict

pytestmark = pytest.mark.faults

RESTARTS = 18

STREAMS = 20
"""The number of streams. Each has a publisher and two subscribers: 60 clients in all."""

NODE_TIMEOUT_SECONDS = 1.0
"""After this time the other nodes consider a primary failed, and the whole cluster refuses commands."""


def nodes(folder: Path) -> list[RedisServer]:
    """Returns three servers for a cluster that write to disk before they acknowledge."""
    servers = []
    for number in range(3):
        (folder / str(number)).mkdir(parents=True)
        durable = ("--appendonly", "yes", "--appendfsync", "always")
        cluster = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
        timeout = ("--cluster-node-timeout", str(round(NODE_TIMEOUT_SECONDS * 1000)))
        servers.append(RedisServer(folder / str(number), free_port(), *durable, *cluster, *timeout))
    return servers


class Traffic:
    """Streams with publishers and subscribers on two servers over a cluster."""

    def __init__(self) -> None:
        self.streams = [Stream(f"s{number}") for number in range(STREAMS)]
        self.restarts = 0
        self.lines: list[str] = []
        self._over = False

    @asynccontextmanager
    async def running(self, cluster: list[RedisServer]) -> AsyncIterator[None]:
        """Publishes and subscribes until the context ends; any error of a client is raised."""
        url = cluster[0].url.replace("redis:", "redis+cluster:")
        async with server(url) as one, server(url) as two:
            async with (
                AsyncEventStreamClient(f"ipv4:{one.address},{two.address}") as client,
                AsyncEventStreamClient(f"ipv4:{two.address},{one.address}") as other,
                asyncio.TaskGroup() as tasks,
            ):
                for stream in self.streams:
                    tasks.create_task(stream.publish(random.choice((client, other)), lambda: self._over, pause=0.2))
                    tasks.create_task(stream.subscribe(client))
                    tasks.create_task(stream.subscribe(other))
                await together(*(stream.wait_until_started(one.address, subscribers=2) for stream in self.streams))
                yield
                self._over = True
            self.lines = (one.output + two.output).splitlines()

    async def restart(self, primary: RedisServer, pause: float) -> None:
        """Kills a primary and restarts it; returns when all streams have made progress."""
        self.restarts += 1
        primary.end(signal.SIGKILL)
        await asyncio.sleep(pause)
        await asyncio.to_thread(primary.start)
        await together(*(stream.wait_for_progress() for stream in self.streams))

    def check(self, report: Callable[[str], None]) -> None:
        """Reports the results, and asserts that nothing was lost and that no call ended with INTERNAL."""
        internal, unavailable = (sum(code in line for line in self.lines) for code in ("INTERNAL", "UNAVAILABLE"))
        verdict = sum((stream.verdict() for stream in self.streams), Verdict())
        report(f"restarts {self.restarts}, calls UNAVAILABLE {unavailable:,}, INTERNAL {internal}, {verdict}")
        assert not internal
        assert not verdict.faults


async def test_restarting_primaries_lose_nothing_and_all_clients_resume(
    tmp_path: Path, factor: int, report: Callable[[str], None]
) -> None:
    traffic = Traffic()
    with running_cluster(nodes(tmp_path)) as primaries:
        async with traffic.running(primaries):
            for number in range(RESTARTS * factor):
                await asyncio.sleep(random.uniform(0, 0.5))
                # Shorter and longer than the node timeout.
                await traffic.restart(primaries[number % 3], random.uniform(0, 3 * NODE_TIMEOUT_SECONDS))
    traffic.check(report)


async def test_restarts_after_a_failover_lose_nothing(
    tmp_path: Path, factor: int, report: Callable[[str], None]
) -> None:
    traffic = Traffic()
    with (
        running_cluster(nodes(tmp_path / "primaries")) as primaries,
        running_replicas(primaries, nodes(tmp_path / "replicas")) as replicas,
    ):
        async with traffic.running(primaries):
            pairs = [*zip(primaries, replicas, strict=True)]
            for number in range(RESTARTS // 3 * factor):
                primary, replica = pairs[number % 3]
                with Redis(port=replica.port) as redis:
                    redis.execute_command("CLUSTER FAILOVER")
                await asyncio.to_thread(replica.wait_for_line, "Failover election won")
                await traffic.restart(primary, random.uniform(0, 3 * NODE_TIMEOUT_SECONDS))
                await asyncio.to_thread(primary.wait_for_line, "MASTER <-> REPLICA sync: Finished with success")
                pairs[number % 3] = replica, primary
    traffic.check(report)
