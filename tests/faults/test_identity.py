"""Publishers that are fenced, logs that lose their end, and bits that flip: counted for each store."""

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
from ..store.every_store.test_damage import check_readers
from ..support.delayed_publisher import CASES, Outcome, refusals, serving, succeed
from ..support.redis_server import RedisServer, running
from .processes import Restartable, free_port, server
from .stores import KINDS, store_url
from .traffic import event

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("kind", KINDS)
async def test_late_bytes_of_killed_publishers_lose_nothing_and_repeat_nothing(
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
        f"publishers killed with bytes under way {len(outcomes):,}, fenced {fenced:,}, lost {total.lost}, twice"
        f" {total.twice}, stored late {total.late}"
    )
    assert total == (0, 0, 0)
    assert fenced == runs * sum(delayed != "draw" and arrives.endswith("first event") for delayed, arrives in CASES)


@pytest.mark.parametrize("kind", KINDS)
async def test_of_two_live_publishers_one_goes_on_and_every_acknowledged_event_is_there_once(
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

            told = await asyncio.gather(*(publish(who, stream_id, acknowledged) for who in range(2)))
            fenced += sum(told)
            received = [made async for made in client.subscribe(stream_id)]
            lost += sum(received[offset] != made for offset, made in acknowledged.items())
            twice += len(received) - len({made.SerializeToString() for made in received})
            events += len(acknowledged)
    report(f"streams {20 * factor}, publishers told {fenced}, acknowledged {events:,}, lost {lost}, twice {twice}")
    assert (fenced, lost, twice) == (20 * factor, 0, 0)


class Forgetful(Protocol):
    """A server over a store that can lose what was acknowledged since a moment."""

    process: Restartable

    async def remember(self) -> None:
        """Marks the moment."""

    async def forget(self) -> None:
        """Loses what came after it, as a machine does whose power fails, and is back."""


class ForgetfulFile:
    """Over a file, the tail of whose write-ahead log gets lost."""

    def __init__(self, folder: Path) -> None:
        self._wal = folder / "streams.db-wal"
        self.process = server(f"sqlite:{folder / 'streams.db'}")

    async def remember(self) -> None:
        self._log = self._wal.read_bytes()  # its size tells nothing: the store reserves room in it

    async def forget(self) -> None:
        await self.process.kill()
        self._wal.write_bytes(self._log)
        await self.process.start()


class ForgetfulRedis:
    """Over a Redis that restarts from its last snapshot."""

    def __init__(self, redis: RedisServer) -> None:
        self._redis = redis
        self.process = server(redis.url)

    async def remember(self) -> None:
        with Redis(port=self._redis.port) as redis:
            redis.save()

    async def forget(self) -> None:
        self._redis.end(signal.SIGKILL)
        await asyncio.to_thread(self._redis.start)


@asynccontextmanager
async def forgetful(kind: str, folder: Path) -> AsyncIterator[Forgetful]:
    if kind == "redis":
        with running(RedisServer(folder, free_port(), "--appendonly", "no")) as redis:
            over_redis = ForgetfulRedis(redis)
            async with over_redis.process:
                yield over_redis
    else:
        over_file = ForgetfulFile(folder)
        async with over_file.process:
            yield over_file


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
async def test_a_log_that_has_lost_acknowledged_events_is_noticed_by_everyone(
    kind: str, tmp_path: Path, factor: int, report: Callable[[str], None]
) -> None:
    rounds, told = 5 * factor, 0
    async with forgetful(kind, tmp_path) as lossy, AsyncEventStreamClient(lossy.process.address) as client:
        for number in range(rounds):
            told += await lose_and_resume(lossy, client, f"s{number}")
    report(f"logs that lost acknowledged events {rounds}, resumes told {told} of {4 * rounds}")
    assert told == 4 * rounds


async def lose_and_resume(lossy: Forgetful, client: AsyncEventStreamClient, stream_id: str) -> int:
    """Loses a stream's last acknowledged events; returns how many of its clients were told that it has diverged."""
    kept, lost, others = ([event(f"{stream_id} {part}", n) for n in range(5 + part)] for part in range(3))
    following = client.subscribe(stream_id)
    publisher = client.publish(stream_id)
    await publisher.__aenter__()
    await send(publisher, kept)
    await lossy.remember()
    await send(publisher, lost)
    assert [await anext(following) for _ in kept + lost] == kept + lost
    position = following.position
    assert position is not None
    await lossy.forget()

    told = await diverged(anext(following)) + await diverged(send(publisher, others))
    await publisher.__aexit__(StreamError, None, None)
    told += await diverged(anext(client.subscribe(stream_id, position=position)))
    async with client.publish(stream_id) as successor:
        assert successor.position.offset == len(kept)
        await send(successor, others)
    assert [made async for made in client.subscribe(stream_id)] == kept + others
    return told + await diverged(anext(client.subscribe(stream_id, position=position)))


async def send(publisher: AsyncEventPublisher, events: Iterable[OpenResponsesStreamEvent]) -> None:
    """Sends events until they are acknowledged."""
    for made in events:
        await publisher.send(made)
    await publisher.flush()


async def diverged(awaitable: Awaitable[object]) -> bool:
    """Whether a client is told that the log has diverged."""
    try:
        await awaitable
    except StreamError as error:
        return error.reason == "STREAM_DIVERGED"
    return False


@pytest.mark.parametrize("kind", KINDS)
async def test_a_flipped_bit_is_never_handed_out(
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
