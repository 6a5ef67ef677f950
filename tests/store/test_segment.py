"""Segments of verified events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openresponses_grpc.codec._checksum import checksum
from openresponses_grpc.store import DataLossError
from openresponses_grpc.store._rules import events_up_to
from openresponses_grpc.store._segment import PIECE_BYTES, Segment, pieces

APPENDS = st.lists(st.lists(st.binary(max_size=3), min_size=1, max_size=4), min_size=1, max_size=5)


def segment_of(appends: list[list[bytes]], first_offset: int, before: int) -> Segment:
    segment = Segment(first_offset, before)
    for events in appends:
        for piece in pieces(events, segment.end, before):
            segment.append(piece)
            before = piece.after
    return segment


@given(APPENDS, st.integers(0, 100), st.integers(0, 2**32 - 1), st.data())
def test_a_read_returns_events_with_the_checksums_before_and_after_them(
    appends: list[list[bytes]], first_offset: int, before: int, data: st.DataObject
) -> None:
    segment = segment_of(appends, first_offset, before)
    log = [event for events in appends for event in events]
    index = data.draw(st.integers(0, len(log) - 1))
    max_bytes = data.draw(st.integers(0, 12))
    events = events_up_to(log, index, max_bytes)
    read = segment.read(first_offset + index, max_bytes)
    assert list(read.events) == events
    assert read.before == checksum(log[:index], before) == segment.checksum_at(first_offset + index)
    assert read.after == checksum(log[: index + len(events)], before)
    assert segment.checksum_at(segment.end) == checksum(log, before)


@given(APPENDS, st.data())
def test_damage_is_located_at_its_append_and_earlier_events_are_readable(
    appends: list[list[bytes]], data: st.DataObject
) -> None:
    segment = segment_of(appends, 0, 0)
    log = [event for events in appends for event in events]
    damaged = data.draw(st.integers(0, len(log) - 1))
    segment.events[damaged] += b"x"
    firsts = [sum(map(len, appends[:number])) for number in range(len(appends) + 1)]
    first = max(offset for offset in firsts if offset <= damaged)
    after = min(offset for offset in firsts if offset > damaged)
    received: list[bytes] = []
    max_bytes = data.draw(st.integers(0, 12))
    with pytest.raises(DataLossError) as caught:
        while True:
            received += segment.read(len(received), max_bytes).events
    assert received == log[:first]
    assert caught.value.metadata == {"offset": str(first)}
    for offset in range(first + 1, after):
        with pytest.raises(DataLossError):
            segment.checksum_at(offset)
    if after < len(log):
        assert list(segment.read(after, 1000).events) == log[after:]


def test_a_large_append_is_split_into_pieces() -> None:
    events = [b"x" * (PIECE_BYTES // 2 + 1)] * 3
    cut = list(pieces(events, 7, 1))
    assert [(piece.first_offset, len(piece.events)) for piece in cut] == [(7, 1), (8, 1), (9, 1)]
    assert [piece.before for piece in cut] == [1, cut[0].after, cut[1].after]


def test_readers_at_one_offset_share_a_read() -> None:
    segment = segment_of([[b"a", b"b"]], 0, 0)
    first = segment.read(0, 10)
    assert segment.read(0, 10) is first
    assert segment.read(0, 1) is not first
    (piece,) = pieces([b"c"], 2, first.after)
    segment.append(piece)
    assert list(segment.read(0, 10).events) == [b"a", b"b", b"c"]
