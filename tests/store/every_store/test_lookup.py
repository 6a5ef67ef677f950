"""Lookup, listing and deletion of streams, in every store."""

import asyncio
import time
from fnmatch import fnmatch

import pytest

from openresponses_grpc.store import (
    Append,
    EpochMismatchError,
    Failure,
    InvalidPageTokenError,
    State,
    Store,
    StreamInfo,
    StreamNotFoundError,
)

from .conftest import Clock
from .reading import read


async def test_a_stream_is_described(store: Store, clock: Clock) -> None:
    before = time.time()
    end = await store.append(Append("s", [b"a", b"bcd"]))
    info = await store.info("s")
    assert info == StreamInfo(
        stream_id="s",
        epoch=end.epoch,
        state=State.OPEN,
        failure=None,
        first_offset=0,
        next_offset=2,
        event_bytes=4,
        created_at=info.created_at,
        updated_at=info.updated_at,
        expires_at=None,
    )
    if not clock.elsewhere:
        before = info.created_at  # from the clock of the test
    assert before - 1 <= info.created_at <= info.updated_at <= max(before, time.time()) + 1


@pytest.mark.parametrize("failure", [None, Failure("REASON", "message")])
async def test_an_ended_stream_is_complete_or_failed_and_has_an_expiry(store: Store, failure: Failure | None) -> None:
    await store.append(Append("s", [b"a"], end_of_stream=True, failure=failure))
    info = await store.info("s")
    assert (info.state, info.failure) == (State.FAILED if failure else State.COMPLETE, failure)
    assert info.expires_at is not None
    assert abs(info.expires_at - info.updated_at - 100) < 2


async def test_an_abandoned_stream_is_open_again_when_a_publisher_resumes(store: Store, clock: Clock) -> None:
    epoch = (await store.append(Append("s", [b"a"]))).epoch
    await clock.advance(11)
    info = await store.info("s")
    assert info.state is State.ABANDONED
    assert info.expires_at is not None
    async with store.publishing("s", epoch):
        assert (await store.info("s")).state is State.OPEN


async def test_a_stream_that_does_not_exist_is_not_found(store: Store) -> None:
    with pytest.raises(StreamNotFoundError):
        await store.info("s")
    with pytest.raises(StreamNotFoundError):
        await store.delete("s", None)
    with pytest.raises(StreamNotFoundError):
        await store.read("s", 0, epoch=None, must_exist=True, max_bytes=1000, timeout=600)
    with pytest.raises(StreamNotFoundError):
        async with store.publishing("s", 1):
            pass
    assert (await read(store)).epoch == 0


async def listed(store: Store, page_size: int, glob: str = "*") -> list[str]:
    ids: list[str] = []
    token = ""
    while True:
        page = await store.list(page_size, token, lambda stream_id: fnmatch(stream_id, glob))
        assert len(page.streams) <= page_size
        ids += [info.stream_id for info in page.streams]
        token = page.next_page_token
        if not token:
            return sorted(ids)


@pytest.mark.parametrize("page_size", [1, 2, 3, 1000])
async def test_pages_list_every_visible_stream_once(store: Store, page_size: int) -> None:
    assert await listed(store, page_size) == []
    ids = ["a", "b:1", "b:2", "\u20ac{x}", "b:3"]
    for stream_id in ids:
        await store.append(Append(stream_id, [b"x"]))
    assert await listed(store, page_size) == sorted(ids)
    assert await listed(store, page_size, "b:*") == ["b:1", "b:2", "b:3"]


async def test_a_page_describes_its_streams(store: Store) -> None:
    await store.append(Append("s", [b"a"], end_of_stream=True))
    (info,) = [info for info in (await store.list(1000, "", lambda _: True)).streams if info.stream_id == "s"]
    assert info._replace(expires_at=None) == (await store.info("s"))._replace(expires_at=None)


@pytest.mark.parametrize("state", ["open", "ended", "published"])
async def test_a_deleted_stream_is_gone_and_its_id_is_free(store: Store, state: str) -> None:
    end = await store.append(Append("s", [b"a"], end_of_stream=state == "ended"))
    if state == "published":
        async with store.publishing("s", end.epoch):
            await store.delete("s", end.epoch)
            with pytest.raises(StreamNotFoundError):
                await store.append(Append("s", [b"b"], epoch=end.epoch))
    else:
        await store.delete("s", None)
    with pytest.raises(StreamNotFoundError):
        await read(store, epoch=end.epoch)
    with pytest.raises(StreamNotFoundError):
        await store.info("s")
    again = await store.append(Append("s", [b"c"]))
    assert (again.next_offset, again.epoch != end.epoch) == (1, True)


async def test_a_deletion_with_another_epoch_is_refused(store: Store) -> None:
    epoch = (await store.append(Append("s", [b"a"]))).epoch
    with pytest.raises(EpochMismatchError):
        await store.delete("s", epoch + 1)
    assert (await store.info("s")).epoch == epoch


async def test_waiting_readers_are_told_of_a_deletion(store: Store) -> None:
    epoch = (await store.append(Append("s", [b"a"]))).epoch
    readers = [
        asyncio.create_task(store.read("s", 1, epoch=known, max_bytes=1000, timeout=60)) for known in (epoch, None)
    ]
    await asyncio.wait(readers, timeout=0.1)
    await store.delete("s", None)
    for reader in readers:
        with pytest.raises(StreamNotFoundError):
            await reader


@pytest.mark.parametrize("token", ["?", "x:y", "-1:0"])
async def test_a_foreign_page_token_is_invalid_or_yields_an_empty_page(store: Store, token: str) -> None:
    try:
        page = await store.list(10, token, lambda _: True)
    except InvalidPageTokenError:
        return
    assert not page.streams
