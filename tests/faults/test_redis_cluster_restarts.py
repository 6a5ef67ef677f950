"""The masters of a Redis Cluster are killed and started again, one after the other, under load."""

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
"""Each has a publisher and two subscribers, so that there are 60 clients."""

NODE_TIMEOUT_SECONDS = 1.0
"""The other nodes take a master for failed after this time, and the whole cluster refuses commands."""


def nodes(folder: Path) -> list[RedisServer]:
    """Three servers for a cluster, which acknowledge what is on their disks."""
    servers = []
    for number in range(3):
        (folder / str(number)).mkdir(parents=True)
        durable = ("--appendonly", "yes", "--appendfsync", "always")
        cluster = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
        timeout = ("--cluster-node-timeout", str(round(NODE_TIMEOUT_SECONDS * 1000)))
        servers.append(RedisServer(folder / str(number), free_port(), *durable, *cluster, *timeout))
    return servers


class Traffic:
    """Streams with publishers and subscribers at two servers over a cluster."""

    def __init__(self) -> None:
        self.streams = [Stream(f"s{number}") for number in range(STREAMS)]
        self.restarts = 0
        self.lines: list[str] = []
        self._over = False

    @asynccontextmanager
    async def running(self, cluster: list[RedisServer]) -> AsyncIterator[None]:
        """Publishes and subscribes for as long as the context lasts; a client that gives up raises."""
        url = cluster[0].url.replace("redis:", "redis+cluster:")
        async with server(url) as one, server(url) as two:
            async with (
                AsyncEventStreamClient(f"ipv4:{one.address},{two.address}") as client,
                AsyncEventStreamClient(f"ipv4:{two.address},{one.address}") as other,
                asyncio.TaskGroup() as tasks,
            ):
                for stream in self.streams:
                    tasks.create_task(stream.publish(random.choice((client, other)), lambda: self._over, pause=0.05))
                    tasks.create_task(stream.subscribe(client))
                    tasks.create_task(stream.subscribe(other))
                await together(*(stream.under_way(one.address, subscribers=2) for stream in self.streams))
                yield
                self._over = True
            self.lines = (one.output + two.output).splitlines()

    async def restart(self, master: RedisServer, pause: float) -> None:
        """Kills a master and starts it again; returns when all streams have gone on."""
        self.restarts += 1
        master.end(signal.SIGKILL)
        await asyncio.sleep(pause)
        await asyncio.to_thread(master.start)
        await together(*(stream.goes_on() for stream in self.streams))

    def check(self, report: Callable[[str], None]) -> None:
        """Reports what came of it; nothing may be lost, and no call may end with INTERNAL."""
        internal, unavailable = (sum(code in line for line in self.lines) for code in ("INTERNAL", "UNAVAILABLE"))
        verdict = sum((stream.verdict() for stream in self.streams), Verdict())
        report(f"restarts {self.restarts}, calls UNAVAILABLE {unavailable:,}, INTERNAL {internal}, {verdict}")
        assert not internal
        assert not verdict.faults


async def test_masters_that_restart_lose_nothing_and_every_client_resumes(
    tmp_path: Path, factor: int, report: Callable[[str], None]
) -> None:
    traffic = Traffic()
    with running_cluster(nodes(tmp_path)) as masters:
        async with traffic.running(masters):
            for number in range(RESTARTS * factor):
                await asyncio.sleep(random.uniform(0, 0.5))
                # Shorter and longer than it takes the others to notice.
                await traffic.restart(masters[number % 3], random.uniform(0, 3 * NODE_TIMEOUT_SECONDS))
    traffic.check(report)


async def test_masters_whose_replicas_take_over_before_they_restart_lose_nothing(
    tmp_path: Path, factor: int, report: Callable[[str], None]
) -> None:
    traffic = Traffic()
    with (
        running_cluster(nodes(tmp_path / "masters")) as masters,
        running_replicas(masters, nodes(tmp_path / "replicas")) as replicas,
    ):
        async with traffic.running(masters):
            pairs = [*zip(masters, replicas, strict=True)]
            for number in range(RESTARTS // 3 * factor):
                master, replica = pairs[number % 3]
                with Redis(port=replica.port) as redis:
                    redis.execute_command("CLUSTER FAILOVER")
                await asyncio.to_thread(replica.wait_for_line, "Failover election won")
                await traffic.restart(master, random.uniform(0, 3 * NODE_TIMEOUT_SECONDS))
                await asyncio.to_thread(master.wait_for_line, "MASTER <-> REPLICA sync: Finished with success")
                pairs[number % 3] = replica, master
    traffic.check(report)
