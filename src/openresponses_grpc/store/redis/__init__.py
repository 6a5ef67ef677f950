"""The store that keeps its logs in Redis: several servers over one Redis, or one Redis Cluster, share all streams."""

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
    """Opens the store in the Redis that a URL names, for as long as the context lasts.

    Args:
        url: `redis://`, `rediss://` or `unix://`, as redis-py reads them, or `redis+cluster://` or `rediss+cluster://`
            with one of the cluster's nodes.
        limits: of one stream, and of the times; `max_bytes` and `max_streams` are Redis' own affair.

    Raises:
        OpenStoreError: Redis cannot be reached, or is not set up to keep logs.

    """
    for option, value, default in (
        ("--max-bytes", limits.max_bytes, StoreLimits.max_bytes),
        ("--max-streams", limits.max_streams, StoreLimits.max_streams),
    ):
        if value != default:
            raise OpenStoreError(
                f"{option} does not apply to the store in Redis: what it may keep is Redis' own maxmemory, which all"
                " servers share"
            )
    async with connected(url) as server, RedisStore(server, limits) as store:
        yield store
