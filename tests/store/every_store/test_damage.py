"""Damaged events, in every store."""

from functools import partial
from random import Random

import pytest

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
        await damaged.check_readers(store, appends, number)
