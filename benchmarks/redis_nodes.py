"""Runs the Redis servers of the benchmark and reads their resource usage."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from redis import Redis, exceptions
from redis.backoff import ConstantBackoff
from redis.retry import Retry


class RedisUsage(NamedTuple):
    """The resources that Redis servers have used since their start.

    Attributes:
        cpu: CPU time in seconds.
        received: received bytes.
        sent: sent bytes.
        memory: size of the data set, in bytes.

    """

    cpu: float
    received: float
    sent: float
    memory: float


def redis_usage(ports: Sequence[int]) -> RedisUsage:
    """Returns the total usage of the servers."""
    totals = [0.0] * 4
    for port in ports:
        with Redis(port=port) as redis:
            info = redis.info("everything")
        figures = (
            info["used_cpu_user"] + info["used_cpu_sys"],
            info["total_net_input_bytes"],
            info["total_net_output_bytes"],
            info["used_memory_dataset"],
        )
        totals = [total + figure for total, figure in zip(totals, figures, strict=True)]
    return RedisUsage(*totals)


@contextmanager
def running_nodes(count: int) -> Iterator[list[int]]:
    """Runs Redis servers that sync their files every second; more than one form a cluster. Yields their ports."""
    if not shutil.which("redis-server"):
        raise SystemExit("redis-server is not installed: .ci/install-redis installs it")
    ports = [_free_port() for _ in range(count)]
    with ExitStack() as stack:
        for port in ports:
            directory = stack.enter_context(tempfile.TemporaryDirectory())
            options = [
                "--port",
                str(port),
                "--bind",
                "127.0.0.1",
                "--dir",
                directory,
                "--save",
                "",
                "--appendonly",
                "yes",
            ]
            if count > 1:
                options += ["--cluster-enabled", "yes", "--cluster-port", str(_free_port())]
            process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            retry = Retry(ConstantBackoff(0.1), 100, (exceptions.ConnectionError, exceptions.BusyLoadingError))
            with Redis(port=port, retry=retry) as redis:
                redis.ping()
        if count > 1:
            places = [f"127.0.0.1:{port}" for port in ports]
            create = ["redis-cli", "--cluster", "create", *places, "--cluster-yes"]
            subprocess.run(create, stdout=subprocess.DEVNULL, check=True)
        yield ports


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
