"""What clients keep between calls: the publisher's outbox, the subscriber's cursor, and when to try again."""

import grpc
import pytest

from openresponses_grpc import StreamError
from openresponses_grpc.client.cursor import Cursor
from openresponses_grpc.client.errors import stream_error
from openresponses_grpc.client.outbox import WINDOW_BYTES, Outbox
from openresponses_grpc.client.recovery import Recovery
from openresponses_grpc.v1.stream_service_pb2 import PublishResponse, SubscribeResponse
from openresponses_grpc.wire import BATCH_BYTES

from ..events import event


def opened(next_offset: int = 0) -> Outbox:
    outbox = Outbox("s")
    outbox.hello()
    outbox.acknowledge(PublishResponse(next_offset=next_offset, epoch=7))
    return outbox


def test_hello_asks_where_the_stream_stands() -> None:
    outbox = Outbox("s")
    hello = outbox.hello()
    assert (hello.stream_id, hello.HasField("epoch"), hello.HasField("first_offset")) == ("s", False, False)
    outbox.add(event(0))
    assert not outbox.has_work
    outbox.acknowledge(PublishResponse(next_offset=5, epoch=7))
    request = outbox.next_request()
    assert (request.first_offset, request.epoch, len(request.events)) == (5, 7, 1)


def test_what_is_waiting_goes_in_one_request_up_to_a_size() -> None:
    outbox = opened()
    for n in range(5):
        outbox.add(event(n, padding=BATCH_BYTES // 3))
    requests = []
    while outbox.has_work:
        requests.append(outbox.next_request())
    assert [(request.first_offset, len(request.events)) for request in requests] == [(0, 2), (2, 2), (4, 1)]


def test_an_event_larger_than_a_request_goes_alone() -> None:
    outbox = opened()
    for padding in (0, 2 * BATCH_BYTES, 0):
        outbox.add(event(0, padding=padding))
    assert [len(outbox.next_request().events) for _ in range(3)] == [1, 1, 1]


@pytest.mark.parametrize("stored", [0, 1, 2, 3])
def test_after_a_break_what_is_not_stored_is_sent_again(stored: int) -> None:
    outbox = opened(10)
    for n in range(2):
        outbox.add(event(n))
    outbox.next_request()
    outbox.add(event(2))
    outbox.finish()
    outbox.next_request()
    hello = outbox.hello()
    assert (hello.stream_id, hello.epoch) == ("s", 7)
    assert not outbox.has_work
    outbox.acknowledge(PublishResponse(next_offset=10 + stored, epoch=7))
    again = outbox.next_request()
    assert again.first_offset == 10 + stored
    assert list(again.events) == [event(n).SerializeToString() for n in range(stored, 3)]
    assert again.end_of_stream
    outbox.acknowledge(PublishResponse(next_offset=13, epoch=7))
    assert outbox.stored


def test_the_end_is_sent_with_the_last_events_and_once() -> None:
    outbox = opened()
    outbox.add(event(0))
    outbox.finish()
    assert outbox.next_request().end_of_stream
    assert not outbox.has_work
    assert not outbox.stored
    assert outbox.acknowledge(PublishResponse(next_offset=1, epoch=7))
    assert outbox.stored


def test_the_window_is_full_until_acknowledged() -> None:
    outbox = opened()
    while not outbox.full:
        outbox.add(event(0, padding=WINDOW_BYTES // 4))
    request = outbox.next_request()
    assert not outbox.acknowledge(PublishResponse(next_offset=0, epoch=7))
    assert outbox.full
    assert outbox.acknowledge(PublishResponse(next_offset=len(request.events), epoch=7))
    assert not outbox.full


def test_more_events_than_were_sent_are_another_publisher_s() -> None:
    outbox = opened()
    outbox.add(event(0))
    outbox.next_request()
    outbox.add(event(1))  # added and not sent: the stream cannot have it from here
    with pytest.raises(StreamError) as caught:
        outbox.acknowledge(PublishResponse(next_offset=2, epoch=7))
    assert caught.value.reason == "PUBLISHER_CONFLICT"


def test_a_cursor_resumes_at_its_next_offset_with_its_epoch() -> None:
    cursor = Cursor("s", 3)
    assert not cursor.request().HasField("epoch")
    cursor.advance(SubscribeResponse(first_offset=3))
    assert not cursor.request().HasField("epoch")
    cursor.advance(SubscribeResponse(first_offset=3, events=[event(0), event(1)], epoch=9))
    request = cursor.request()
    assert (request.stream_id, request.start_offset, request.epoch) == ("s", 5, 9)
    assert not cursor.end_of_stream
    cursor.advance(SubscribeResponse(first_offset=5, end_of_stream=True, epoch=9))
    assert cursor.end_of_stream


@pytest.mark.parametrize("first_offset", [0, 2])
def test_a_cursor_accepts_no_jump(first_offset: int) -> None:
    with pytest.raises(StreamError, match="DATA_LOSS"):
        Cursor("s", 1).advance(SubscribeResponse(first_offset=first_offset, events=[event(0)]))


def failure(code: grpc.StatusCode, retry_after: float | None = None) -> StreamError:
    return StreamError(code, "", retry_after=retry_after)


UNAVAILABLE = failure(grpc.StatusCode.UNAVAILABLE)


def test_the_first_call_fails_at_once() -> None:
    with pytest.raises(StreamError):
        Recovery().pause(UNAVAILABLE)


@pytest.mark.parametrize(
    "error, heals",
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
def test_only_what_can_heal_is_tried_again(error: StreamError | None, heals: bool) -> None:
    recovery = Recovery()
    recovery.answered(progress=True)
    if heals:
        assert recovery.pause(error) >= 0
    else:
        with pytest.raises(StreamError):
            recovery.pause(error)


@pytest.mark.parametrize(
    "details, heals", [("Internal error from Core", True), ("internal error 0123456789abcdef", False)]
)
def test_a_call_that_ends_during_a_write_is_tried_again(details: str, heals: bool) -> None:
    # grpc.aio puts INTERNAL and these details in the place of whatever status the call had.
    error = grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, grpc.aio.Metadata(), grpc.aio.Metadata(), details=details)
    assert stream_error(error).heals == heals


def test_pauses_grow_to_a_limit_and_start_over_with_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    recovery = Recovery()
    recovery.answered(progress=True)
    pauses = [recovery.pause(UNAVAILABLE) for _ in range(100)]
    assert pauses[:6] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0]
    assert set(pauses[5:]) == {5.0}
    recovery.answered(progress=False)
    assert recovery.pause(UNAVAILABLE) == 5.0
    recovery.answered(progress=True)
    assert recovery.pause(UNAVAILABLE) == 0.2
    assert recovery.pause(failure(grpc.StatusCode.UNAVAILABLE, retry_after=30)) == 30
