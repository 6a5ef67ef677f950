"""Which log a client speaks of, and which publisher may append, in every store."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from openresponses_grpc.codec._checksum import checksum
from openresponses_grpc.store import (
    Append,
    Check,
    End,
    OffsetGapError,
    PublisherFencedError,
    Store,
    StreamDivergedError,
    StreamFullError,
    StreamNotFoundError,
)

from .reading import read

EVENTS = [b"a", b"bb", b"", b"c" * 130, b"d"]


def check(offset: int, events: Sequence[bytes] = EVENTS) -> Check:
    return Check(offset, checksum(events[:offset]))


async def drawn(store: Store) -> End:
    """A number for a publisher of the stream."""
    end = await store.append(Append("s", publisher=0))
    assert end.publisher
    return end


async def claim(store: Store, drawn: End, **request: Any) -> End:
    """An append with a number that was drawn."""
    return await store.append(Append("s", epoch=drawn.epoch, publisher=drawn.publisher, **request))


@pytest.mark.parametrize("appends", [[5], [1, 1, 1, 1, 1], [2, 3], [4, 1]])
async def test_the_checksum_is_that_of_all_events_however_they_were_appended(store: Store, appends: list[int]) -> None:
    at = 0
    for count in appends:
        end = await store.append(Append("s", EVENTS[at : at + count]))
        at += count
        assert end.checksum == checksum(EVENTS[:at])
    for start in range(6):
        for max_bytes in (1, 3, 1000):
            batch = await read(store, start, max_bytes=max_bytes)
            assert batch.checksum == checksum(EVENTS[: start + len(batch.events)])


def test_the_checksum_of_nothing_is_0() -> None:
    assert checksum([]) == 0


def test_the_checksum_continues_and_tells_where_an_event_ends() -> None:
    assert checksum(EVENTS[2:], checksum(EVENTS[:2])) == checksum(EVENTS)
    assert checksum([b"ab", b"c"]) != checksum([b"a", b"bc"])
    # CRC-32 of 02 "ab" 80 01 and 128 times "x", as zlib computes it.
    assert checksum([b"ab", b"x" * 128]) == 0x0379ABE7


async def test_an_empty_log_has_the_checksum_0_and_one_that_does_not_reach_the_offset_none(store: Store) -> None:
    await store.append(Append("s"))
    assert (await read(store, 0)).checksum == 0
    assert (await read(store, 1)).checksum is None


@pytest.mark.parametrize("offset", range(6))
@pytest.mark.parametrize("start", [0, 2, 5])
async def test_a_log_that_has_what_the_client_knows_is_read_and_appended_to(
    store: Store, start: int, offset: int
) -> None:
    await store.append(Append("s", EVENTS[:2]))
    epoch = (await store.append(Append("s", EVENTS[2:]))).epoch
    assert list((await read(store, start, epoch=epoch, check=check(offset))).events) == EVENTS[start:]
    assert (await store.append(Append("s", [b"e"], epoch=epoch, check=check(offset)))).next_offset == 6


@pytest.mark.parametrize(
    "known",
    [Check(6, checksum([*EVENTS, b"e"])), *(Check(offset, 1) for offset in range(6))],
    ids=lambda known: f"at {known.offset}",
)
async def test_a_log_that_is_shorter_or_another_has_diverged_at_once(store: Store, known: Check) -> None:
    await store.append(Append("s", EVENTS[:2]))
    epoch = (await store.append(Append("s", EVENTS[2:]))).epoch
    for start in (0, 5, 6, 7):
        with pytest.raises(StreamDivergedError):
            await store.read("s", start, epoch=epoch, check=known, max_bytes=1000, timeout=600)
    for request in (Append("s", [b"x"]), Append("s", [b"x"], first_offset=5), Append("s", end_of_stream=True)):
        with pytest.raises(StreamDivergedError) as caught:
            await store.append(request._replace(epoch=epoch, check=known))
        assert caught.value.metadata == {"next_offset": "5"}
    assert list((await read(store)).events) == EVENTS


@pytest.mark.parametrize("first_offset, events", [(0, [b"x"]), (1, [b"bb", b"x"]), (4, [b"x", b"new"]), (2, [b"\0"])])
async def test_a_retry_with_other_events_than_the_log_has_diverged(
    store: Store, first_offset: int, events: list[bytes]
) -> None:
    await store.append(Append("s", EVENTS[:3]))
    await store.append(Append("s", EVENTS[3:]))
    with pytest.raises(StreamDivergedError):
        await store.append(Append("s", events, first_offset=first_offset))
    assert list((await read(store)).events) == EVENTS


async def test_numbers_grow_and_fence_nobody_until_they_are_used(store: Store) -> None:
    first, second, third = [await drawn(store) for _ in range(3)]
    assert (first.publisher or 0) < (second.publisher or 0) < (third.publisher or 0) < 2**53
    assert first.epoch == third.epoch
    await store.append(Append("s", [b"unnumbered"]))
    await claim(store, first, events=[b"a"], first_offset=1)
    await claim(store, first, events=[b"b"], first_offset=2)
    assert (await claim(store, third)).next_offset == 3


async def test_from_its_first_request_on_the_latest_publisher_owns_the_stream(store: Store) -> None:
    old, new = await drawn(store), await drawn(store)
    await claim(store, old, events=[b"a"], first_offset=0)
    assert (await claim(store, new)).next_offset == 1
    for request in (
        Append("s", [b"x"], publisher=old.publisher, epoch=old.epoch, first_offset=1),
        Append("s", [b"a"], publisher=old.publisher, epoch=old.epoch, first_offset=0),
        Append("s", publisher=old.publisher, epoch=old.epoch),
        Append("s", end_of_stream=True, publisher=old.publisher, epoch=old.epoch),
        Append("s", [b"x"]),
        Append("s", [b"x"], first_offset=1, epoch=old.epoch),
        Append("s"),
        Append("s", end_of_stream=True),
    ):
        with pytest.raises(PublisherFencedError) as caught:
            await store.append(request)
        assert caught.value.metadata == {"next_offset": "1"}
    await drawn(store)
    end = await claim(store, new, events=[b"b"], first_offset=1, end_of_stream=True)
    assert (end.next_offset, end.end_of_stream) == (2, True)
    assert list((await read(store)).events) == [b"a", b"b"]
    with pytest.raises(PublisherFencedError):
        await claim(store, old, events=[b"x"], first_offset=2)


async def test_a_claim_holds_even_if_its_events_are_refused(store: Store) -> None:
    old, gap, size = [await drawn(store) for _ in range(3)]
    with pytest.raises(OffsetGapError) as caught:
        await claim(store, gap, events=[b"x"], first_offset=1)
    assert caught.value.metadata == {"next_offset": "0"}
    with pytest.raises(PublisherFencedError):
        await claim(store, old, events=[b"x"], first_offset=0)
    with pytest.raises(StreamFullError):
        await claim(store, size, events=[b"x" * 201], first_offset=0)
    with pytest.raises(PublisherFencedError):
        await claim(store, gap, events=[b"x"], first_offset=0)


async def test_a_publisher_of_another_log_claims_nothing(store: Store) -> None:
    old, new = await drawn(store), await drawn(store)
    with pytest.raises(StreamDivergedError):
        await claim(store, new, check=Check(1, 1))
    await claim(store, old, events=[b"a"], first_offset=0)


async def test_of_publishers_in_lockstep_the_last_one_to_claim_goes_on(store: Store) -> None:
    publishers = [await drawn(store) for _ in range(4)]
    log: dict[int, bytes] = {}

    async def publish(publisher: End) -> bool:
        try:
            offset = (await claim(store, publisher)).next_offset
            for n in range(8):
                event = b"%d" % n
                end = await claim(store, publisher, events=[event], first_offset=offset)
                log[offset] = event
                offset = end.next_offset
        except PublisherFencedError:
            return False
        return True

    assert (await asyncio.gather(*map(publish, publishers)))[-1]
    assert list((await read(store)).events) == [log[offset] for offset in range(len(log))]


async def test_a_stream_that_is_created_again_has_no_owner(store: Store) -> None:
    old = await drawn(store)
    await claim(store, old)
    await store.delete("s", None)
    with pytest.raises(StreamNotFoundError):
        await claim(store, old)
    await store.append(Append("s", [b"a"]))
