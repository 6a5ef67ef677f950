"""What clients keep between calls: the publisher's outbox, the subscriber's cursor, and when to retry."""

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openresponses_grpc import Position, StreamError
from openresponses_grpc.client._cursor import Cursor
from openresponses_grpc.client._errors import stream_error
from openresponses_grpc.client._outbox import WINDOW_BYTES, Outbox
from openresponses_grpc.client._recovery import Recovery
from openresponses_grpc.codec import _raw_messages as raw_messages
from openresponses_grpc.codec._checksum import checksum
from openresponses_grpc.codec._raw_messages import BATCH_BYTES
from openresponses_grpc.v1.stream_service_pb2 import PublishResponse, StreamFailure, SubscribeRequest

from ..support.events import event

EPOCH = 7
NUMBER = 1000


def data(n: int, padding: int = 0) -> bytes:
    return event(n, padding=padding).SerializeToString()


def reply(next_offset: int, **fields: Any) -> PublishResponse:
    return PublishResponse(next_offset=next_offset, epoch=EPOCH, checked_offset=next_offset, checksum=1, **fields)


def claimed(next_offset: int = 0) -> Outbox:
    """An outbox that has drawn a number and claimed its stream."""
    outbox = Outbox("s", "server")
    outbox.restart()
    outbox.next_request()
    outbox.receive(reply(next_offset, publisher=NUMBER))
    outbox.next_request()
    outbox.receive(reply(next_offset))
    return outbox


def test_a_publisher_draws_a_number_claims_the_stream_and_then_sends() -> None:
    outbox = Outbox("s", "server")
    outbox.restart()
    outbox.add(data(0))
    draw = outbox.next_request()
    assert draw == raw_messages.PublishRequest(stream_id="s", publisher=0)
    assert not outbox.has_work
    outbox.receive(reply(4, publisher=NUMBER))
    assert outbox.position is None
    claim = outbox.next_request()
    assert claim == raw_messages.PublishRequest(stream_id="s", publisher=NUMBER, epoch=EPOCH)
    assert not outbox.has_work
    outbox.receive(reply(5))
    assert outbox.position == Position(EPOCH, 5, 5, 1)
    events = outbox.next_request()
    assert events == raw_messages.PublishRequest(publisher=NUMBER, epoch=EPOCH, first_offset=5, events=[data(0)])
    assert not outbox.has_work


def test_a_number_is_drawn_again_until_there_is_one_and_then_kept() -> None:
    outbox = Outbox("s", "server")
    for _ in range(2):
        outbox.restart()
        assert outbox.next_request().publisher == 0
    outbox.receive(reply(0, publisher=NUMBER))
    for _ in range(2):
        outbox.restart()
        claim = outbox.next_request()
        assert (claim.publisher, claim.epoch, claim.HasField("checksum")) == (NUMBER, EPOCH, False)


def test_what_is_waiting_goes_in_one_request_up_to_a_size() -> None:
    outbox = claimed()
    for n in range(5):
        outbox.add(data(n, padding=BATCH_BYTES // 3))
    requests = []
    while outbox.has_work:
        requests.append(outbox.next_request())
    assert [(request.first_offset, len(request.events)) for request in requests] == [(0, 2), (2, 2), (4, 1)]


def test_an_event_larger_than_a_request_goes_alone() -> None:
    outbox = claimed()
    for padding in (0, 2 * BATCH_BYTES, 0):
        outbox.add(data(0, padding=padding))
    assert [len(outbox.next_request().events) for _ in range(3)] == [1, 1, 1]


@pytest.mark.parametrize("ending", [None, StreamFailure(reason="R", message="m")])
@pytest.mark.parametrize("stored", [0, 1, 2, 3])
def test_after_a_break_every_event_without_an_acknowledgement_is_sent_again(
    stored: int, ending: StreamFailure | None
) -> None:
    outbox = claimed(10)
    outbox.add(data(9))
    outbox.next_request()
    outbox.receive(reply(11))
    for n in range(2):
        outbox.add(data(n))
    outbox.next_request()
    outbox.add(data(2))
    outbox.fail(ending) if ending else outbox.finish()
    outbox.next_request()
    outbox.restart()
    claim = outbox.next_request()
    assert claim == raw_messages.PublishRequest(
        stream_id="s", publisher=NUMBER, epoch=EPOCH, checked_offset=11, checksum=1
    )
    assert not outbox.has_work
    # The reply to a claim acknowledges nothing: what the log has is to be compared.
    assert not outbox.receive(reply(11 + stored, end_of_stream=stored == 3))
    assert outbox.position == Position(EPOCH, 11, 11, 1)
    again = outbox.next_request()
    assert again.first_offset == 11
    assert list(again.events) == [data(n) for n in range(3)]
    assert again.end_of_stream
    assert (again.failure.reason, again.failure.message) == (("R", "m") if ending else ("", ""))
    assert not outbox.stored
    assert outbox.receive(reply(14, end_of_stream=True))
    assert outbox.stored


def test_an_acknowledgement_covers_what_was_sent_in_this_call_alone() -> None:
    outbox = claimed()
    for n in range(4):
        outbox.add(data(n, padding=BATCH_BYTES // 3))
    while outbox.has_work:
        outbox.next_request()
    outbox.restart()
    outbox.next_request()
    outbox.receive(reply(4))
    assert len(outbox.next_request().events) == 2
    assert outbox.receive(reply(4))
    assert outbox.position == Position(EPOCH, 2, 4, 1)
    assert not outbox.empty
    again = outbox.next_request()
    assert (again.first_offset, len(again.events)) == (2, 2)
    assert outbox.receive(reply(4))
    assert outbox.empty


def test_an_acknowledgement_of_more_than_was_sent_is_data_loss() -> None:
    outbox = claimed()
    outbox.add(data(0))
    outbox.next_request()
    outbox.add(data(1))
    with pytest.raises(StreamError, match="DATA_LOSS: stream 's' at server"):
        outbox.receive(reply(2))


def test_the_end_is_sent_with_the_last_events_and_once() -> None:
    outbox = claimed()
    outbox.add(data(0))
    outbox.finish()
    assert outbox.next_request().end_of_stream
    assert not outbox.has_work
    assert not outbox.stored
    assert outbox.receive(reply(1, end_of_stream=True))
    assert outbox.stored


def test_a_stream_that_has_ended_takes_no_event_and_no_other_end() -> None:
    outbox = claimed()
    failure = StreamFailure(reason="R")
    outbox.restart()
    outbox.next_request()
    outbox.receive(reply(0, end_of_stream=True, failure=failure))
    assert (outbox.end_of_stream, outbox.failure) == (True, failure)
    with pytest.raises(StreamError, match="failed with R at offset 0; publish to another stream id") as caught:
        outbox.add(b"late")
    assert (caught.value.reason, caught.value.metadata) == ("STREAM_FINISHED", {"next_offset": "0"})
    outbox.finish()
    assert not outbox.finishing


def test_a_request_has_no_more_events_than_a_server_accepts() -> None:
    outbox = claimed()
    for _ in range(raw_messages.MAX_EVENTS + 1):
        outbox.add(b"\x0a\0")
    outbox.finish()
    first, second = outbox.next_request(), outbox.next_request()
    assert (len(first.events), first.end_of_stream) == (raw_messages.MAX_EVENTS, False)
    assert (len(second.events), second.end_of_stream) == (1, True)
    assert second.first_offset == raw_messages.MAX_EVENTS


def test_the_window_is_full_until_acknowledged() -> None:
    outbox = claimed()
    while not outbox.full:
        outbox.add(data(0, padding=WINDOW_BYTES // 4))
    request = outbox.next_request()
    assert not outbox.receive(reply(0))
    assert outbox.full
    assert outbox.receive(reply(len(request.events)))
    assert not outbox.full


EVENTS = [data(n) for n in range(6)]


def cursor(**arguments: Any) -> Cursor:
    return Cursor("s", "server", **arguments)


def response(first: int, after: int, **fields: Any) -> Any:
    """A response with the events from `first` up to `after`, as a server sends it."""
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


def test_a_position_is_behind_the_events_handed_out_and_checked_behind_those_received() -> None:
    reading = cursor()
    reading.advance(response(0, 3))
    for handed_out in range(4):
        assert reading.position == Position(EPOCH, handed_out, 3, checksum(EVENTS[:3]))
        if reading.events:
            assert reading.events.popleft() == EVENTS[handed_out]


@pytest.mark.parametrize("form", [lambda position: position, str])
def test_a_cursor_resumes_at_a_position_in_either_form(form: Callable[[Position], Position | str]) -> None:
    saved = Position(EPOCH, 2, 5, 99)
    reading = cursor(position=form(saved), must_exist=True)
    assert reading.position == saved
    assert reading.request() == SubscribeRequest(
        stream_id="s", start_offset=2, epoch=EPOCH, checked_offset=5, checksum=99, must_exist=True
    )


def test_a_response_without_a_checksum_keeps_the_one_of_the_position() -> None:
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
def test_invalid_places_to_start_at_are_refused(arguments: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        cursor(**arguments)


@pytest.mark.parametrize("first_offset", [0, 2])
def test_a_cursor_accepts_no_jump(first_offset: int) -> None:
    with pytest.raises(StreamError, match=f"DATA_LOSS: stream 's' at server, offset 1: .* at offset {first_offset}"):
        cursor(start_offset=1).advance(response(first_offset, 3))


@pytest.mark.parametrize(
    "start, verified",
    [
        ({}, True),
        ({"position": Position(EPOCH, 2, 2, checksum(EVENTS[:2]))}, True),
        ({"position": Position(EPOCH, 0)}, True),
        # Without the checksum before the events, theirs cannot be computed; that of the next response can.
        ({"start_offset": 2}, False),
        ({"position": Position(EPOCH, 2, 4, 99)}, False),
    ],
)
def test_the_checksum_of_a_response_is_verified_once_the_one_before_it_is_known(start: Any, verified: bool) -> None:
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
def test_a_flipped_bit_is_found_in_any_batch(drawn: st.DataObject) -> None:
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


def failure(code: grpc.StatusCode, retry_after: float | None = None) -> StreamError:
    return StreamError(code, "", retry_after=retry_after)


UNAVAILABLE = failure(grpc.StatusCode.UNAVAILABLE)


def test_the_first_call_fails_at_once_unless_it_is_to_wait() -> None:
    with pytest.raises(StreamError):
        Recovery().next_delay(UNAVAILABLE)
    assert Recovery(wait_for_ready=True).next_delay(UNAVAILABLE) >= 0


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED])
def test_the_first_call_is_tried_again_where_the_server_asks_for_it(code: grpc.StatusCode) -> None:
    recovery = Recovery()
    assert recovery.next_delay(failure(code, retry_after=3)) == 3
    assert recovery.connected


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED])
def test_whoever_asks_for_it_gets_the_error_that_the_server_answers_before_its_first_reply(
    code: grpc.StatusCode,
) -> None:
    recovery = Recovery(wait_for_ready=True, fail_fast=True)
    assert recovery.next_delay(UNAVAILABLE) >= 0  # not an error from the server
    with pytest.raises(StreamError):
        recovery.next_delay(failure(code, retry_after=3))
    recovery.record_reply(progress=False)
    assert recovery.next_delay(failure(code, retry_after=3)) == 3


@pytest.mark.parametrize(
    "error, retryable",
    [
        (None, True),
        (UNAVAILABLE, True),
        (failure(grpc.StatusCode.CANCELLED), True),
        (failure(grpc.StatusCode.RESOURCE_EXHAUSTED, retry_after=1), True),
        (failure(grpc.StatusCode.RESOURCE_EXHAUSTED), False),
        (failure(grpc.StatusCode.ABORTED), False),
        (failure(grpc.StatusCode.NOT_FOUND), False),
        (failure(grpc.StatusCode.OUT_OF_RANGE), False),
        (failure(grpc.StatusCode.INVALID_ARGUMENT), False),
        (failure(grpc.StatusCode.PERMISSION_DENIED), False),
        (failure(grpc.StatusCode.INTERNAL), False),
    ],
)
def test_only_what_can_heal_is_tried_again(error: StreamError | None, retryable: bool) -> None:
    recovery = Recovery()
    recovery.record_reply(progress=True)
    if retryable:
        assert recovery.next_delay(error) >= 0
    else:
        with pytest.raises(StreamError):
            recovery.next_delay(error)


@pytest.mark.parametrize(
    "details, retryable", [("Internal error from Core", True), ("internal error 0123456789abcdef", False)]
)
def test_a_call_that_ends_during_a_write_is_tried_again(details: str, retryable: bool) -> None:
    # grpc.aio puts INTERNAL and these details in the place of whatever status the call had.
    error = grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, grpc.aio.Metadata(), grpc.aio.Metadata(), details=details)
    assert stream_error(error, server="server", secure=False).retryable == retryable


def test_pauses_grow_to_a_limit_and_start_over_with_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    recovery = Recovery()
    recovery.record_reply(progress=True)
    delays = [recovery.next_delay(UNAVAILABLE) for _ in range(100)]
    assert delays[:6] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0]
    assert set(delays[5:]) == {5.0}
    recovery.record_reply(progress=False)
    assert recovery.next_delay(UNAVAILABLE) == 5.0
    recovery.record_reply(progress=True)
    assert recovery.next_delay(UNAVAILABLE) == 0.2
    assert recovery.next_delay(failure(grpc.StatusCode.UNAVAILABLE, retry_after=30)) == 30
