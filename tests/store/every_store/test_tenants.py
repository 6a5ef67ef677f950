"""Tenants and their shares, in the stores that limit streams themselves; Redis uses its maxmemory."""

from contextlib import AsyncExitStack

import pytest

from openresponses_grpc.store import Append, ShareExceededError, Store, StoreFullError, StreamNotFoundError
from openresponses_grpc.store._shares import Shares, SharesError

from .conftest import STORES, Clock

pytestmark = pytest.mark.parametrize("store", STORES, indirect=True)

FAIR = {"hog": Shares(), "other": Shares()}
"""Each tenant has a share of 5 of the 20 streams."""


async def create(store: Store, tenant: str, numbers: range, *, finished: bool = True) -> list[str]:
    """Creates ended streams, or open streams without a publisher."""
    stream_ids = [f"{tenant} {'finished' if finished else 'open'} {number:02}" for number in numbers]
    for stream_id in stream_ids:
        await store.append(Append(stream_id, [b"a"], end_of_stream=finished, tenant=tenant))
    return stream_ids


async def kept(store: Store, tenant: str) -> list[str]:
    page = await store.list(100, "", lambda stream_id: stream_id.startswith(tenant))
    return [info.stream_id for info in page.streams]


async def test_a_tenant_may_use_all_free_space(store: Store) -> None:
    store.divide(FAIR)
    assert await create(store, "hog", range(20)) == await kept(store, "hog")


async def test_the_tenant_furthest_over_its_share_loses_its_oldest_ended_streams(store: Store) -> None:
    store.divide(FAIR)
    hogs = await create(store, "hog", range(14))
    others = await create(store, "other", range(6))
    # Streams of the hog are evicted until both tenants have the same number.
    others += await create(store, "other", range(6, 16))
    assert (await kept(store, "hog"), await kept(store, "other")) == (hogs[4:], others[6:])
    hogs += await create(store, "hog", range(14, 34))
    assert (await kept(store, "hog"), await kept(store, "other")) == (hogs[-10:], others[6:])


async def test_streams_within_a_share_stay_and_its_unused_part_is_reserved(store: Store) -> None:
    store.divide(FAIR)
    others = await create(store, "other", range(3))
    with pytest.raises(ShareExceededError) as caught:
        await create(store, "hog", range(20), finished=False)
    assert caught.value.tenant == "hog"
    assert str(caught.value).startswith("token 'hog' has 15 open streams with ")
    assert caught.value.metadata["share_streams"] == "5"
    with pytest.raises(ShareExceededError):
        await store.append(Append("one more", tenant="hog"))
    others += await create(store, "other", range(2), finished=False)
    assert await kept(store, "other") == others


async def test_the_bytes_of_open_streams_are_limited_by_the_shares_of_others(store: Store) -> None:
    store.divide({"hog": Shares(bytes=0), "other": Shares(bytes=(256 << 20) - 2000)})
    with pytest.raises(ShareExceededError):
        for number in range(100):
            await store.append(Append(str(number), [b"a" * 100], tenant="hog"))
    await store.append(Append("s", [b"a" * 200], tenant="other"))


async def test_a_stream_belongs_to_its_creator_even_if_others_append(store: Store) -> None:
    store.divide(FAIR)
    await store.append(Append("other's", [b"a"], tenant="other"))
    async with AsyncExitStack() as publishing:
        for number in range(15):
            epoch = (await store.append(Append(str(number), [b"a"], tenant="hog"))).epoch
            await publishing.enter_async_context(store.publishing(str(number), epoch))
        assert (await store.append(Append("other's", [b"b"], tenant="hog"))).next_offset == 2
        with pytest.raises(ShareExceededError):
            await store.append(Append("s", [b"a"], tenant="hog"))
        await store.append(Append("0", [b"b"], end_of_stream=True, tenant="other"))
        await store.append(Append("s", [b"a"], tenant="hog"))


async def test_abandoned_streams_are_evicted_for_open_streams_of_the_same_tenant(store: Store, clock: Clock) -> None:
    store.divide(FAIR)
    await create(store, "hog", range(15), finished=False)
    await clock.advance(9)
    with pytest.raises(ShareExceededError):
        await store.append(Append("hog", [b"a"], tenant="hog"))
    await clock.advance(1)
    await store.append(Append("hog", [b"a"], tenant="hog"))
    assert await kept(store, "hog") == ["hog", *(f"hog open {number:02}" for number in range(1, 15))]


async def test_shares_can_be_changed(store: Store) -> None:
    store.divide(FAIR)
    await create(store, "hog", range(15), finished=False)
    with pytest.raises(SharesError, match="the shares of streams add up to 21, more than the limit of 20"):
        store.divide({"hog": Shares(streams=16), "other": Shares(streams=5)})
    with pytest.raises(ShareExceededError):
        await store.append(Append("hog", tenant="hog"))
    store.divide({"hog": Shares(streams=16), "other": Shares(streams=4)})
    await store.append(Append("hog", tenant="hog"))
    with pytest.raises(ShareExceededError):
        await store.append(Append("hog 2", tenant="hog"))


async def test_without_shares_all_tenants_share_one_limit(store: Store) -> None:
    await create(store, "hog", range(19), finished=False)
    await create(store, "other", range(2))
    assert len(await kept(store, "other")) == 1
    await create(store, "", range(1), finished=False)
    with pytest.raises(StoreFullError) as caught:
        await create(store, "another", range(1))
    assert caught.value.reason == "STORE_FULL"
    with pytest.raises(StreamNotFoundError):
        await store.info("other finished 00")
