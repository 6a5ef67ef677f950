"""The outbox of a publisher: the events that it has not sent, or that the server has not acknowledged."""

from typing import Any

import pytest

from openresponses_grpc import Position, StreamError
from openresponses_grpc.client._outbox import WINDOW_BYTES, Outbox
from openresponses_grpc.codec import _raw_messages as raw_messages
from openresponses_grpc.codec._raw_messages import BATCH_BYTES
from openresponses_grpc.v1.stream_service_pb2 import PublishResponse, StreamFailure

from ..support.events import event

EPOCH = 7
NUMBER = 1000


def data(n: int, padding: int = 0) -> bytes:
    return event(n, padding=padding).SerializeToString()


def reply(next_offset: int, **fields: Any) -> PublishResponse:
    return PublishResponse(next_offset=next_offset, epoch=EPOCH, checked_offset=next_offset, checksum=1, **fields)


def claimed(next_offset: int = 0) -> Outbox:
    """Returns an outbox that has drawn a number and claimed its stream."""
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


def test_a_number_is_requested_until_received_and_then_kept() -> None:
    outbox = Outbox("s", "server")
    for _ in range(2):
        outbox.restart()
        assert outbox.next_request().publisher == 0
    outbox.receive(reply(0, publisher=NUMBER))
    for _ in range(2):
        outbox.restart()
        claim = outbox.next_request()
        assert (claim.publisher, claim.epoch, claim.HasField("checksum")) == (NUMBER, EPOCH, False)


def test_waiting_events_are_batched_into_requests_of_limited_size() -> None:
    outbox = claimed()
    for n in range(5):
        outbox.add(data(n, padding=BATCH_BYTES // 3))
    requests = []
    while outbox.has_work:
        requests.append(outbox.next_request())
    assert [(request.first_offset, len(request.events)) for request in requests] == [(0, 2), (2, 2), (4, 1)]


def test_an_event_larger_than_a_batch_is_sent_alone() -> None:
    outbox = claimed()
    for padding in (0, 2 * BATCH_BYTES, 0):
        outbox.add(data(0, padding=padding))
    assert [len(outbox.next_request().events) for _ in range(3)] == [1, 1, 1]


@pytest.mark.parametrize("ending", [None, StreamFailure(reason="R", message="m")])
@pytest.mark.parametrize("stored", [0, 1, 2, 3])
def test_after_a_reconnect_all_unacknowledged_events_are_resent(stored: int, ending: StreamFailure | None) -> None:
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
    # The reply to a claim acknowledges nothing: the server first compares the resent events with the log.
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


def test_an_acknowledgement_covers_only_events_sent_in_this_call() -> None:
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


def test_the_end_is_sent_once_with_the_last_events() -> None:
    outbox = claimed()
    outbox.add(data(0))
    outbox.finish()
    assert outbox.next_request().end_of_stream
    assert not outbox.has_work
    assert not outbox.stored
    assert outbox.receive(reply(1, end_of_stream=True))
    assert outbox.stored


def test_an_ended_stream_accepts_no_event_and_no_other_ending() -> None:
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


def test_a_request_contains_at_most_the_number_of_events_that_a_server_accepts() -> None:
    outbox = claimed()
    for _ in range(raw_messages.MAX_EVENTS + 1):
        outbox.add(b"\x0a\0")
    outbox.finish()
    first, second = outbox.next_request(), outbox.next_request()
    assert (len(first.events), first.end_of_stream) == (raw_messages.MAX_EVENTS, False)
    assert (len(second.events), second.end_of_stream) == (1, True)
    assert second.first_offset == raw_messages.MAX_EVENTS


def test_the_window_stays_full_until_events_are_acknowledged() -> None:
    outbox = claimed()
    while not outbox.full:
        outbox.add(data(0, padding=WINDOW_BYTES // 4))
    request = outbox.next_request()
    assert not outbox.receive(reply(0))
    assert outbox.full
    assert outbox.receive(reply(len(request.events)))
    assert not outbox.full
