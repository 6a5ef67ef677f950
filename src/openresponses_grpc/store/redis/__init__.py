"""The Redis store: all servers that use the same Redis or Redis Cluster share the streams."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .._errors import OpenStoreError
from .._interface import StoreLimits
from ._connecting import connected
from ._store import RedisStore

__all__ = ["RedisStore", "open_redis"]


@asynccontextmanager
async def open_redis(url: str, limits: StoreLimits) -> AsyncIterator[RedisStore]:
    """Opens the store in a Redis while the context is open.

    Args:
        url: `redis://`, `rediss://` or `unix://` as in redis-py, or `redis+cluster://` or `rediss+cluster://` with one
            node of the cluster.
        limits: the limits; `max_bytes` and `max_streams` must be the defaults, because Redis has its own `maxmemory`.

    Raises:
        OpenStoreError: Redis is unreachable or unsuitable.

    """
    for option, value, default in (
        ("--max-bytes", limits.max_bytes, StoreLimits.max_bytes),
        ("--max-streams", limits.max_streams, StoreLimits.max_streams),
    ):
        if value != default:
            raise OpenStoreError(
                f"{option} does not apply to the Redis store: Redis' own maxmemory limits it, for all servers together"
            )
    async with connected(url) as client, RedisStore(client, limits) as store:
        yield store
