"""Runs a Redis server for the benchmark, if Redis is installed."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis, exceptions
from redis.backoff import ConstantBackoff
from redis.retry import Retry


@contextmanager
def running_redis() -> Iterator[str | None]:
    """Yields the URL of a server that syncs its file every second, Redis's default; None without redis-server."""
    if not shutil.which("redis-server"):
        yield None
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as directory:
        arguments = [
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
        process = subprocess.Popen(["redis-server", *arguments], stdout=subprocess.DEVNULL)
        try:
            retry = Retry(ConstantBackoff(0.1), 100, (exceptions.ConnectionError, exceptions.BusyLoadingError))
            with Redis(port=port, retry=retry) as redis:
                redis.ping()
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()
