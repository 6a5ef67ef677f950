"""Damaged events, in every store."""

from functools import partial
from random import Random

import pytest

from openresponses_grpc.store import DataLossError, Store

from . import damaged
from .conftest import REDIS, STORES


@pytest.fixture(params=[*STORES, *REDIS])
def damaging(request: pytest.FixtureRequest) -> damaged.Damaged:
    if request.param in REDIS:
        return partial(damaged.redis, request.getfixturevalue(REDIS[request.param]))
    return {"memory": damaged.memory, "sqlite": damaged.sqlite}[request.param]


@pytest.mark.parametrize("seed", range(4))
async def test_readers_get_intact_events_and_then_data_loss(damaging: damaged.Damaged, seed: int) -> None:
    random = Random(seed)
    appends = damaged.random_appends(random)
    number = random.randrange(len(appends))
    event = random.choice(appends[number])
    async with damaging(appends, event, damaged.flipped(event, random.randrange(len(event) * 8))) as store:
        await check_readers(store, appends, number)


async def check_readers(store: Store, appends: damaged.Appends, number: int) -> None:
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
