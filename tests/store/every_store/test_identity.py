"""Checksums, positions and publisher numbers, in every store."""

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


async def draw_number(store: Store) -> End:
    """Draws a publisher number for the stream."""
    end = await store.append(Append("s", publisher=0))
    assert end.publisher
    return end


async def claim(store: Store, drawn: End, **request: Any) -> End:
    """Appends with a publisher number."""
    return await store.append(Append("s", epoch=drawn.epoch, publisher=drawn.publisher, **request))


@pytest.mark.parametrize("appends", [[5], [1, 1, 1, 1, 1], [2, 3], [4, 1]])
async def test_the_checksum_does_not_depend_on_the_grouping_of_appends(store: Store, appends: list[int]) -> None:
    at = 0
    for count in appends:
        end = await store.append(Append("s", EVENTS[at : at + count]))
        at += count
        assert end.checksum == checksum(EVENTS[:at])
    for start in range(6):
        for max_bytes in (1, 3, 1000):
            batch = await read(store, start, max_bytes=max_bytes)
            assert batch.checksum == checksum(EVENTS[: start + len(batch.events)])


def test_the_checksum_of_no_events_is_0() -> None:
    assert checksum([]) == 0


def test_the_checksum_is_incremental_and_depends_on_event_boundaries() -> None:
    assert checksum(EVENTS[2:], checksum(EVENTS[:2])) == checksum(EVENTS)
    assert checksum([b"ab", b"c"]) != checksum([b"a", b"bc"])
    # CRC-32 of 02 "ab" 80 01 and 128 times "x", as zlib computes it.
    assert checksum([b"ab", b"x" * 128]) == 0x0379ABE7


async def test_a_read_at_an_empty_log_has_checksum_0_and_one_beyond_the_end_has_none(store: Store) -> None:
    await store.append(Append("s"))
    assert (await read(store, 0)).checksum == 0
    assert (await read(store, 1)).checksum is None


@pytest.mark.parametrize("offset", range(6))
@pytest.mark.parametrize("start", [0, 2, 5])
async def test_a_matching_position_allows_reads_and_appends(store: Store, start: int, offset: int) -> None:
    await store.append(Append("s", EVENTS[:2]))
    epoch = (await store.append(Append("s", EVENTS[2:]))).epoch
    assert list((await read(store, start, epoch=epoch, check=check(offset))).events) == EVENTS[start:]
    assert (await store.append(Append("s", [b"e"], epoch=epoch, check=check(offset)))).next_offset == 6


@pytest.mark.parametrize(
    "known",
    [Check(6, checksum([*EVENTS, b"e"])), *(Check(offset, 1) for offset in range(6))],
    ids=lambda known: f"at {known.offset}",
)
async def test_a_shorter_or_different_log_has_diverged_at_once(store: Store, known: Check) -> None:
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
async def test_a_retry_with_different_events_has_diverged(store: Store, first_offset: int, events: list[bytes]) -> None:
    await store.append(Append("s", EVENTS[:3]))
    await store.append(Append("s", EVENTS[3:]))
    with pytest.raises(StreamDivergedError):
        await store.append(Append("s", events, first_offset=first_offset))
    assert list((await read(store)).events) == EVENTS


async def test_publisher_numbers_increase_and_fence_only_once_claimed(store: Store) -> None:
    first, second, third = [await draw_number(store) for _ in range(3)]
    assert (first.publisher or 0) < (second.publisher or 0) < (third.publisher or 0) < 2**53
    assert first.epoch == third.epoch
    await store.append(Append("s", [b"unnumbered"]))
    await claim(store, first, events=[b"a"], first_offset=1)
    await claim(store, first, events=[b"b"], first_offset=2)
    assert (await claim(store, third)).next_offset == 3


async def test_the_latest_publisher_to_claim_owns_the_stream(store: Store) -> None:
    old, new = await draw_number(store), await draw_number(store)
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
    await draw_number(store)
    end = await claim(store, new, events=[b"b"], first_offset=1, end_of_stream=True)
    assert (end.next_offset, end.end_of_stream) == (2, True)
    assert list((await read(store)).events) == [b"a", b"b"]
    with pytest.raises(PublisherFencedError):
        await claim(store, old, events=[b"x"], first_offset=2)


async def test_a_claim_takes_effect_even_if_its_events_are_refused(store: Store) -> None:
    old, gap, size = [await draw_number(store) for _ in range(3)]
    with pytest.raises(OffsetGapError) as caught:
        await claim(store, gap, events=[b"x"], first_offset=1)
    assert caught.value.metadata == {"next_offset": "0"}
    with pytest.raises(PublisherFencedError):
        await claim(store, old, events=[b"x"], first_offset=0)
    with pytest.raises(StreamFullError):
        await claim(store, size, events=[b"x" * 201], first_offset=0)
    with pytest.raises(PublisherFencedError):
        await claim(store, gap, events=[b"x"], first_offset=0)


async def test_a_diverged_publisher_claims_nothing(store: Store) -> None:
    old, new = await draw_number(store), await draw_number(store)
    with pytest.raises(StreamDivergedError):
        await claim(store, new, check=Check(1, 1))
    await claim(store, old, events=[b"a"], first_offset=0)


async def test_of_concurrent_publishers_the_last_one_to_claim_continues(store: Store) -> None:
    publishers = [await draw_number(store) for _ in range(4)]
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


async def test_a_recreated_stream_has_no_owner(store: Store) -> None:
    old = await draw_number(store)
    await claim(store, old)
    await store.delete("s", None)
    with pytest.raises(StreamNotFoundError):
        await claim(store, old)
    await store.append(Append("s", [b"a"]))
