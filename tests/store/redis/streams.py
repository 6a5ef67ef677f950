"""Helpers of the Redis store tests."""

import asyncio
from typing import Any

from openresponses_grpc.codec._raw_messages import BATCH_BYTES
from openresponses_grpc.store import Append, Batch, Check, Store, StoreLimits

LIMITS = StoreLimits(retention=100, abandon_after=10)


async def read(
    store: Store, start: int = 0, *, stream_id: str = "s", epoch: int | None = None, check: Check | None = None
) -> Batch:
    """Reads the available events without waiting."""
    return await store.read(stream_id, start, epoch=epoch, check=check, max_bytes=BATCH_BYTES, timeout=0)


def waiting_read(
    store: Store, start: int = 0, *, stream_id: str = "s", epoch: int | None = None, check: Check | None = None
) -> asyncio.Task[Batch]:
    """Starts a read that waits for events."""
    return asyncio.create_task(
        store.read(stream_id, start, epoch=epoch, check=check, max_bytes=BATCH_BYTES, timeout=60)
    )


async def create(store: Store, stream_id: str = "s") -> int:
    """Creates an empty stream if it does not exist; returns its epoch."""
    return (await store.append(Append(stream_id))).epoch


async def state_keys(redis: Any) -> list[bytes]:
    """Returns the Redis keys of the stream states."""
    return [key async for key in redis.scan_iter("openresponses:{*}:state")]


async def wait_until_subscribed(redis: Any, streams: int) -> None:
    """Waits until clients of a Redis server are subscribed to this number of streams."""
    async with asyncio.timeout(30):
        while sum(int(client["ssub"]) for client in await redis.client_list()) != streams:
            pass
