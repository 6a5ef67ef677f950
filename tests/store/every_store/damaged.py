"""Logs with one flipped bit in one event, for every store."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from openresponses_grpc.store import Append, DataLossError, MemoryStore, Store, StoreLimits
from openresponses_grpc.store.redis import open_redis
from openresponses_grpc.store.redis._client import stream_keys
from openresponses_grpc.store.sqlite import open_sqlite

from ...support.redis_server import emptied

Appends = Sequence[Sequence[bytes]]
Damaged = Callable[[Appends, bytes, bytes], AbstractAsyncContextManager[Store]]
"""Opens a store whose stream `s` contains the appends, with the single occurrence of `event` replaced by `damaged`."""


def flipped(event: bytes, bit: int) -> bytes:
    """Returns the event with one bit flipped."""
    changed = bytearray(event)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def random_appends(random: Random) -> Appends:
    """Returns appends of distinct events."""
    return [[random.randbytes(random.randint(16, 400)) for _ in range(random.randint(1, 4))] for _ in range(8)]


@asynccontextmanager
async def memory(appends: Appends, event: bytes, damaged: bytes) -> AsyncIterator[Store]:
    store = MemoryStore()
    await _fill(store, appends)
    events = store._index.get("s").segment.events
    events[events.index(event)] = damaged
    yield store


@asynccontextmanager
async def sqlite(appends: Appends, event: bytes, damaged: bytes) -> AsyncIterator[Store]:
    with TemporaryDirectory() as directory:
        path = Path(directory, "store.db")
        async with open_sqlite(path, StoreLimits()) as store:
            await _fill(store, appends)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.create_function("flip", 1, lambda data: data.replace(event, damaged))
            connection.execute("UPDATE batches SET data = flip(data)")
        async with open_sqlite(path, StoreLimits()) as store:
            yield store


@asynccontextmanager
async def redis(url: str, appends: Appends, event: bytes, damaged: bytes) -> AsyncIterator[Store]:
    client: Any
    async with emptied(url) as client, open_redis(url, StoreLimits()) as store:
        await _fill(store, appends)
        log = stream_keys("s").log
        entries = await client.xrange(log)
        await client.delete(log)
        for offset, fields in entries:
            await client.xadd(log, {name: value.replace(event, damaged) for name, value in fields.items()}, offset)
        yield store


async def _fill(store: Store, appends: Appends) -> None:
    for events in appends:
        await store.append(Append("s", events))


async def check_readers(store: Store, appends: Appends, number: int) -> None:
    """Reads the stream `s`, in which the append with this number is damaged, from every offset."""
    log = [event for events in appends for event in events]
    first = sum(map(len, appends[:number]))
    after = first + len(appends[number])
    for start in range(len(log)):
        received: list[bytes] = []
        stop = len(log) if start >= after else first
        while start + len(received) < max(stop, start):
            batch = await store.read("s", start + len(received), epoch=None, max_bytes=1000, timeout=0)
            received += batch.events
        assert received == log[start:stop]
        if start < after:
            with pytest.raises(DataLossError) as caught:
                await store.read("s", max(start, first), epoch=None, max_bytes=1000, timeout=0)
            assert caught.value.metadata == {"offset": str(first)}
