"""Real Redis servers for tests, each in its own folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio import RedisCluster

SLOTS = 16384

TIMES = (b"created_at", b"updated_at", b"left_at")
"""The times among the fields of a stream's state, besides those of its publishers."""


class RedisServer:
    """A redis-server that can be killed and restarted with the same data."""

    def __init__(self, folder: Path, port: int, *options: str) -> None:
        self.port = port
        self.command = [
            *("redis-server", "--dir", str(folder), "--bind", "127.0.0.1", "--port", str(port), "--save", ""),
            *("--unixsocket", str(folder / "socket"), *options),
        ]
        self.socket = folder / "socket"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        self.wait_for_line("Ready to accept connections")

    def wait_for_line(self, text: str) -> None:
        """Waits until Redis logs a line that contains the text."""
        assert self.process.stdout
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if text in line:
                return
        raise AssertionError("redis-server exited: " + "".join(lines))

    def end(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


@contextmanager
def running(server: RedisServer) -> Iterator[RedisServer]:
    """Runs a server. Without redis-server, skips the test, or fails it if OPENRESPONSES_REQUIRE_REDIS is set."""
    if not shutil.which("redis-server"):
        if os.environ.get("OPENRESPONSES_REQUIRE_REDIS"):
            pytest.fail("redis-server is not installed")
        pytest.skip("redis-server is not installed")
    server.start()
    try:
        yield server
    finally:
        server.end(signal.SIGKILL)


@contextmanager
def running_cluster(servers: list[RedisServer]) -> Iterator[list[RedisServer]]:
    """Runs servers as a cluster with evenly distributed slots."""
    with ExitStack() as stack:
        share = -(-SLOTS // len(servers))
        for index, server in enumerate(servers):
            stack.enter_context(running(server))
            with Redis(port=server.port) as redis:
                # Otherwise the nodes resolve their epochs during the tests, and reassign slots.
                redis.execute_command("CLUSTER SET-CONFIG-EPOCH", index + 1)
                redis.execute_command("CLUSTER ADDSLOTSRANGE", index * share, min((index + 1) * share, SLOTS) - 1)
                redis.execute_command("CLUSTER MEET", "127.0.0.1", servers[0].port, bus_port(servers[0]))
        for server in servers:
            server.wait_for_line("Cluster state changed: ok")
        yield servers


@contextmanager
def running_replicas(masters: list[RedisServer], replicas: list[RedisServer]) -> Iterator[list[RedisServer]]:
    """Runs a replica of each master of a running cluster."""
    with ExitStack() as stack:
        for master, replica in zip(masters, replicas, strict=True):
            stack.enter_context(running(replica))
            with Redis(port=master.port) as redis:
                master_id = redis.execute_command("CLUSTER MYID")
            with Redis(port=replica.port) as redis:
                redis.execute_command("CLUSTER MEET", "127.0.0.1", master.port, bus_port(master))
                replica.wait_for_line("Cluster state changed: ok")
                redis.execute_command("CLUSTER REPLICATE", master_id)
            replica.wait_for_line("MASTER <-> REPLICA sync: Finished with success")
        yield replicas


def bus_port(server: RedisServer) -> int:
    """The port of a node's cluster bus."""
    return int(server.command[server.command.index("--cluster-port") + 1])


@asynccontextmanager
async def emptied(url: str) -> AsyncIterator[AsyncRedis | RedisCluster]:
    """A client of a shared Redis, after a flush."""
    cluster = "+cluster" in url
    redis = RedisCluster.from_url(url.replace("+cluster", "")) if cluster else AsyncRedis.from_url(url)
    async with redis:
        await redis.flushall()
        yield redis


async def pass_time(redis: AsyncRedis | RedisCluster, seconds: float) -> None:
    """Simulates the passage of time for streams: subtracts it from all their times and expiries in Redis."""
    milliseconds = round(seconds * 1000)
    async for key in redis.scan_iter("openresponses:{*"):
        left = await redis.pttl(key) - milliseconds
        await redis.pexpire(key, max(left, 0))
        if left > 0 and key.endswith(b":state"):
            field: Any
            for field in await redis.hkeys(key):
                if field.startswith(b"publisher:") or field in TIMES:
                    await redis.hincrby(key, field, -milliseconds)
