"""The stores of the fault tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from ..support.redis_server import RedisServer, running
from .processes import free_port

KINDS: Final = ("memory", "sqlite", "redis")


@asynccontextmanager
async def store_url(kind: str, folder: Path) -> AsyncIterator[str]:
    """Yields the URL of an empty store."""
    if kind == "redis":
        with running(RedisServer(folder, free_port())) as redis:
            yield redis.url
    else:
        yield {"memory": "memory:", "sqlite": f"sqlite:{folder / 'streams.db'}"}[kind]


def durable_redis(folder: Path) -> RedisServer:
    """A Redis that writes to disk before it acknowledges."""
    return RedisServer(folder, free_port(), "--appendonly", "yes", "--appendfsync", "always")
