"""Fenced publishers, logs that lost events, and flipped bits, counted for each store."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Protocol

import pytest
from redis import Redis

from openresponses_grpc import AsyncEventPublisher, AsyncEventStreamClient, StreamError
from openresponses_grpc.store import StoreLimits, open_store
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from ..store.every_store import damaged
from ..store.every_store.damaged import check_readers
from ..support.delayed_publisher import CASES, Outcome, refusals, serving, succeed
from ..support.redis_server import RedisServer, running
from .processes import Restartable, free_port, server
from .stores import KINDS, store_url
from .traffic import event

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("kind", KINDS)
async def test_late_bytes_of_killed_publishers_lose_and_repeat_nothing(
    kind: str, tmp_path: Path, factor: int, report: Callable[[str], None]
) -> None:
    runs, outcomes = 20 * factor, []
    async with (
        store_url(kind, tmp_path) as url,
        open_store(url, StoreLimits()) as store,
        serving(store) as (address, service),
    ):
        for number in range(runs):
            for case, (delayed, arrives) in enumerate(CASES):
                outcomes.append(await succeed(address, f"{number} {case}", delayed, arrives))
        fenced = refusals(service)
    total = Outcome(*map(sum, zip(*outcomes, strict=True)))
    report(
        f"publishers killed with bytes in flight {len(outcomes):,}, fenced {fenced:,}, lost {total.lost}, twice"
        f" {total.twice}, stored late {total.late}"
    )
    assert total == (0, 0, 0)
    assert fenced == runs * sum(delayed != "draw" and arrives.endswith("first event") for delayed, arrives in CASES)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_publisher_is_fenced_by_its_successor(
    kind: str, tmp_path: Path, factor: int, report: Callable[[str], None]
) -> None:
    fenced = events = lost = twice = 0
    async with (
        store_url(kind, tmp_path) as url,
        open_store(url, StoreLimits()) as store,
        serving(store) as (address, _),
        AsyncEventStreamClient(address) as client,
    ):
        for number in range(20 * factor):
            stream_id = f"s{number}"
            acknowledged: dict[int, object] = {}

            async def publish(who: int, stream_id: str, acknowledged: dict[int, object]) -> bool:
                try:
                    async with client.publish(stream_id) as publisher:
                        for n in range(30):
                            made = event(f"{stream_id} {who}", n)
                            offset = publisher.position.offset
                            await publisher.send(made)
                            await publisher.flush()
                            acknowledged[offset] = made
                except StreamError as error:
                    assert error.reason in ("PUBLISHER_FENCED", "STREAM_FINISHED")
                    return True
                return False

            refused = await asyncio.gather(*(publish(who, stream_id, acknowledged) for who in range(2)))
            fenced += sum(refused)
            received = [made async for made in client.subscribe(stream_id)]
            lost += sum(received[offset] != made for offset, made in acknowledged.items())
            twice += len(received) - len({made.SerializeToString() for made in received})
            events += len(acknowledged)
    report(f"streams {20 * factor}, publishers fenced {fenced}, acknowledged {events:,}, lost {lost}, twice {twice}")
    assert (fenced, lost, twice) == (20 * factor, 0, 0)


class Lossy(Protocol):
    """A server over a store that can lose the events acknowledged since a checkpoint."""

    process: Restartable

    async def checkpoint(self) -> None:
        """Sets the checkpoint."""

    async def lose(self) -> None:
        """Loses everything after the checkpoint, as a power failure can, and restarts."""


class LossyFile:
    """Over an SQLite file that loses the end of its write-ahead log."""

    def __init__(self, folder: Path) -> None:
        self._wal = folder / "streams.db-wal"
        self.process = server(f"sqlite:{folder / 'streams.db'}")

    async def checkpoint(self) -> None:
        self._log = self._wal.read_bytes()  # its size would not do: the store reserves space in it

    async def lose(self) -> None:
        await self.process.kill()
        self._wal.write_bytes(self._log)
        await self.process.start()


class LossyRedis:
    """Over a Redis that restarts from its last snapshot."""

    def __init__(self, redis: RedisServer) -> None:
        self._redis = redis
        self.process = server(redis.url)

    async def checkpoint(self) -> None:
        with Redis(port=self._redis.port) as redis:
            redis.save()

    async def lose(self) -> None:
        self._redis.end(signal.SIGKILL)
        await asyncio.to_thread(self._redis.start)


@asynccontextmanager
async def lossy_server(kind: str, folder: Path) -> AsyncIterator[Lossy]:
    if kind == "redis":
        with running(RedisServer(folder, free_port(), "--appendonly", "no")) as redis:
            over_redis = LossyRedis(redis)
            async with over_redis.process:
                yield over_redis
    else:
        over_file = LossyFile(folder)
        async with over_file.process:
            yield over_file


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
async def test_all_clients_detect_lost_acknowledged_events(
    kind: str, tmp_path: Path, factor: int, report: Callable[[str], None]
) -> None:
    rounds, refused = 5 * factor, 0
    async with lossy_server(kind, tmp_path) as lossy, AsyncEventStreamClient(lossy.process.address) as client:
        for number in range(rounds):
            refused += await lose_and_resume(lossy, client, f"s{number}")
    report(f"logs that lost acknowledged events {rounds}, resumes refused {refused} of {4 * rounds}")
    assert refused == 4 * rounds


async def lose_and_resume(lossy: Lossy, client: AsyncEventStreamClient, stream_id: str) -> int:
    """Loses the last acknowledged events of a stream; returns how many of its clients got STREAM_DIVERGED."""
    kept, lost, others = ([event(f"{stream_id} {part}", n) for n in range(5 + part)] for part in range(3))
    following = client.subscribe(stream_id)
    publisher = client.publish(stream_id)
    await publisher.__aenter__()
    await send(publisher, kept)
    await lossy.checkpoint()
    await send(publisher, lost)
    assert [await anext(following) for _ in kept + lost] == kept + lost
    position = following.position
    assert position is not None
    await lossy.lose()

    refused = await diverged(anext(following)) + await diverged(send(publisher, others))
    await publisher.__aexit__(StreamError, None, None)
    refused += await diverged(anext(client.subscribe(stream_id, position=position)))
    async with client.publish(stream_id) as successor:
        assert successor.position.offset == len(kept)
        await send(successor, others)
    assert [made async for made in client.subscribe(stream_id)] == kept + others
    return refused + await diverged(anext(client.subscribe(stream_id, position=position)))


async def send(publisher: AsyncEventPublisher, events: Iterable[OpenResponsesStreamEvent]) -> None:
    """Sends events and waits until they are acknowledged."""
    for made in events:
        await publisher.send(made)
    await publisher.flush()


async def diverged(awaitable: Awaitable[object]) -> bool:
    """Returns whether a client gets STREAM_DIVERGED."""
    try:
        await awaitable
    except StreamError as error:
        return error.reason == "STREAM_DIVERGED"
    return False


@pytest.mark.parametrize("kind", KINDS)
async def test_a_flipped_bit_is_never_delivered(
    kind: str, tmp_path: Path, factor: int, report: Callable[[str], None]
) -> None:
    flips = 30 * factor
    async with store_url(kind, tmp_path) as url:
        damaging: dict[str, damaged.Damaged] = {
            "memory": damaged.memory,
            "sqlite": damaged.sqlite,
            "redis": partial(damaged.redis, url),
        }
        for seed in range(flips):
            random = Random(seed)
            appends = damaged.random_appends(random)
            number = random.randrange(len(appends))
            hit = random.choice(appends[number])
            async with damaging[kind](appends, hit, damaged.flipped(hit, random.randrange(len(hit) * 8))) as store:
                await check_readers(store, appends, number)
    report(f"flipped bits {flips}, each found in its append after the intact events before it")
