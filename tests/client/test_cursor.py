"""The cursor of a subscriber: where it resumes, and which responses it accepts."""

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openresponses_grpc import Position, StreamError
from openresponses_grpc.client._cursor import Cursor
from openresponses_grpc.codec import _raw_messages as raw_messages
from openresponses_grpc.codec._checksum import checksum
from openresponses_grpc.v1.stream_service_pb2 import SubscribeRequest

from ..support.events import event

EPOCH = 7
EVENTS = [event(n).SerializeToString() for n in range(6)]


def cursor(**arguments: Any) -> Cursor:
    return Cursor("s", "server", **arguments)


def response(first: int, after: int, **fields: Any) -> Any:
    """Returns a response with the events from `first` up to `after`, as a server sends it."""
    fields = {"epoch": EPOCH, "checked_offset": after, "checksum": checksum(EVENTS[:after]), **fields}
    return raw_messages.SubscribeResponse(first_offset=first, events=EVENTS[first:after], **fields)


def test_a_cursor_resumes_at_its_next_offset_with_the_latest_checksum() -> None:
    reading = cursor(start_offset=2)
    assert reading.request() == SubscribeRequest(stream_id="s", start_offset=2)
    reading.advance(raw_messages.SubscribeResponse(first_offset=2))
    assert reading.request() == SubscribeRequest(stream_id="s", start_offset=2)
    assert reading.position is None
    reading.advance(response(2, 4))
    assert reading.request() == SubscribeRequest(
        stream_id="s", start_offset=4, epoch=EPOCH, checked_offset=4, checksum=checksum(EVENTS[:4])
    )
    assert not reading.end_of_stream
    reading.advance(response(4, 4, end_of_stream=True))
    assert reading.end_of_stream


def test_a_position_has_the_offset_of_consumed_and_the_checksum_of_received_events() -> None:
    reading = cursor()
    reading.advance(response(0, 3))
    for consumed in range(4):
        assert reading.position == Position(EPOCH, consumed, 3, checksum(EVENTS[:3]))
        if reading.events:
            assert reading.events.popleft() == EVENTS[consumed]


@pytest.mark.parametrize("form", [lambda position: position, str])
def test_a_cursor_resumes_at_a_position_or_its_string(form: Callable[[Position], Position | str]) -> None:
    saved = Position(EPOCH, 2, 5, 99)
    reading = cursor(position=form(saved), must_exist=True)
    assert reading.position == saved
    assert reading.request() == SubscribeRequest(
        stream_id="s", start_offset=2, epoch=EPOCH, checked_offset=5, checksum=99, must_exist=True
    )


def test_a_response_without_a_checksum_keeps_the_checksum_of_the_position() -> None:
    reading = cursor(position=Position(EPOCH, 2, 5, 99))
    reading.advance(raw_messages.SubscribeResponse(first_offset=2, epoch=EPOCH))
    assert reading.position == Position(EPOCH, 2, 5, 99)


@pytest.mark.parametrize(
    "arguments, problem",
    [
        ({"start_offset": -1}, "start_offset must be 0 or more"),
        ({"start_offset": 1, "position": Position(1, 1)}, "not both"),
        ({"position": "nonsense"}, "not a stream position"),
    ],
)
def test_invalid_start_arguments_are_rejected(arguments: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        cursor(**arguments)


@pytest.mark.parametrize("first_offset", [0, 2])
def test_a_response_at_an_unexpected_offset_is_data_loss(first_offset: int) -> None:
    with pytest.raises(StreamError, match=f"DATA_LOSS: stream 's' at server, offset 1: .* at offset {first_offset}"):
        cursor(start_offset=1).advance(response(first_offset, 3))


@pytest.mark.parametrize(
    "start, verified",
    [
        ({}, True),
        ({"position": Position(EPOCH, 2, 2, checksum(EVENTS[:2]))}, True),
        ({"position": Position(EPOCH, 0)}, True),
        # Without the checksum before the events, only the next response can be verified.
        ({"start_offset": 2}, False),
        ({"position": Position(EPOCH, 2, 4, 99)}, False),
    ],
)
def test_a_checksum_is_verified_once_the_preceding_one_is_known(start: Any, verified: bool) -> None:
    reading = cursor(**start)
    first = reading.next_offset
    if verified:
        with pytest.raises(StreamError, match=r"DATA_LOSS: .* before offset 4 are damaged"):
            cursor(**start).advance(response(first, 4, checksum=checksum(EVENTS[:4]) ^ 1))
    reading.advance(response(first, 4))
    with pytest.raises(StreamError, match="DATA_LOSS"):
        reading.advance(response(4, 6, checksum=checksum(EVENTS) ^ 1))
    assert len(reading.events) == 4 - first


@given(st.data())
def test_a_flipped_bit_is_detected_in_any_batch(drawn: st.DataObject) -> None:
    cuts = [*sorted(drawn.draw(st.sets(st.integers(1, len(EVENTS) - 1)))), len(EVENTS)]
    damaged = drawn.draw(st.integers(0, len(EVENTS) - 1))
    bit = drawn.draw(st.integers(0, 8 * len(EVENTS[damaged]) - 1))
    reading, first = cursor(), 0
    for after in cuts:
        made = response(first, after)
        if first <= damaged < after:
            flipped = bytearray(made.events[damaged - first])
            flipped[bit // 8] ^= 1 << bit % 8
            made.events[damaged - first] = bytes(flipped)
            with pytest.raises(StreamError, match="DATA_LOSS"):
                reading.advance(made)
            break
        reading.advance(made)
        first = after
    assert list(reading.events) == EVENTS[:first]


def test_a_failure_is_an_error_with_its_reason() -> None:
    reading = cursor()
    assert reading.failure() is None
    reading.advance(response(0, 2, end_of_stream=True, failure=raw_messages.StreamFailure(reason="R", message="m")))
    failed = reading.failure()
    assert failed is not None
    assert str(failed) == "ABORTED: stream 's' at server failed at offset 2 with R: m"
    assert (failed.code, failed.reason, failed.message) == (grpc.StatusCode.ABORTED, "R", "m")
    assert (failed.stream_id, failed.server) == ("s", "server")
