"""What the tests of the store in Redis share."""

import asyncio
from typing import Any

from openresponses_grpc.codec._raw_messages import BATCH_BYTES
from openresponses_grpc.store import Append, Batch, Check, Store, StoreLimits

LIMITS = StoreLimits(retention=100, abandon_after=10)


async def read(
    store: Store, start: int = 0, *, stream_id: str = "s", epoch: int | None = None, check: Check | None = None
) -> Batch:
    """Reads the events that are in the log, without waiting."""
    return await store.read(stream_id, start, epoch=epoch, check=check, max_bytes=BATCH_BYTES, timeout=0)


def waiting(
    store: Store, start: int = 0, *, stream_id: str = "s", epoch: int | None = None, check: Check | None = None
) -> asyncio.Task[Batch]:
    """A reader that waits."""
    return asyncio.create_task(
        store.read(stream_id, start, epoch=epoch, check=check, max_bytes=BATCH_BYTES, timeout=60)
    )


async def created(store: Store, stream_id: str = "s") -> int:
    """Creates a stream without events if it does not exist; returns its epoch."""
    return (await store.append(Append(stream_id))).epoch


async def states(redis: Any) -> list[bytes]:
    """The keys of the streams' states in Redis."""
    return [key async for key in redis.scan_iter("openresponses:{*}:state")]


async def listening(redis: Any, streams: int) -> None:
    """Returns once the news of a number of streams are listened to at a server."""
    async with asyncio.timeout(30):
        while sum(int(client["ssub"]) for client in await redis.client_list()) != streams:
            pass
