"""Late bytes of a killed publisher do not affect its successor, in every store."""

import pytest

from openresponses_grpc.store import Store

from ...support.delayed_publisher import CASES, Outcome, refusals, serving, succeed


@pytest.mark.parametrize("delayed, arrives", CASES)
async def test_acknowledged_events_survive_and_late_events_are_refused(
    store: Store, delayed: str, arrives: str
) -> None:
    async with serving(store) as (address, service):
        assert await succeed(address, "s", delayed, arrives) == Outcome(lost=0, twice=0, late=0)
        assert refusals(service) == (delayed != "draw" and arrives.endswith("first event"))
