"""Positions, publisher numbers and endings over plain gRPC."""

from typing import Any

import grpc
import pytest

from openresponses_grpc.codec._checksum import checksum
from openresponses_grpc.v1.stream_service_pb2 import (
    PublishRequest,
    PublishResponse,
    StreamFailure,
    SubscribeRequest,
    SubscribeResponse,
)
from openresponses_grpc.v1.stream_service_pb2_grpc import OpenResponsesStreamServiceStub

from ..support.events import event
from ..support.rpc import Channel, reason, status, subscribe

EVENTS = [event(n) for n in range(4)]
CHECKSUMS = [checksum([made.SerializeToString() for made in EVENTS[:count]]) for count in range(5)]
FAILURE = StreamFailure(reason="UPSTREAM_TIMEOUT", message="no event for 30 seconds")
FENCED = (grpc.StatusCode.FAILED_PRECONDITION, "PUBLISHER_FENCED")
DIVERGED = (grpc.StatusCode.FAILED_PRECONDITION, "STREAM_DIVERGED")


async def publish(channel: Channel, *requests: PublishRequest) -> list[PublishResponse]:
    """Sends requests, each after the response to the previous one."""
    call = OpenResponsesStreamServiceStub(channel).Publish()
    responses = []
    for request in requests:
        await call.write(request)
        response = await call.read()
        assert isinstance(response, PublishResponse)
        responses.append(response)
    await call.done_writing()
    assert await call.code() == grpc.StatusCode.OK
    return responses


async def responses(channel: Channel, **request: Any) -> list[SubscribeResponse]:
    """Returns the responses to a subscriber up to the end of the stream."""
    call = OpenResponsesStreamServiceStub(channel).Subscribe(SubscribeRequest(stream_id="s", **request))
    return [response async for response in call]


async def refusal(awaited: Any) -> tuple[grpc.StatusCode, str]:
    code, details = await status(awaited)
    return code, reason(details)


async def draw_claim(channel: Channel) -> PublishRequest:
    """Draws a publisher number; returns a request that claims the stream with it."""
    (response,) = await publish(channel, PublishRequest(stream_id="s", publisher=0))
    return PublishRequest(stream_id="s", publisher=response.publisher, epoch=response.epoch)


def appends(claim: PublishRequest, first_offset: int, count: int, **fields: Any) -> PublishRequest:
    request = PublishRequest(first_offset=first_offset, events=EVENTS[first_offset : first_offset + count], **fields)
    request.MergeFrom(claim)
    return request


async def test_each_response_carries_the_checksum_for_resuming(channel: Channel) -> None:
    acknowledged = await publish(
        channel,
        PublishRequest(stream_id="s"),
        PublishRequest(events=EVENTS[:3]),
        PublishRequest(events=EVENTS[3:], end_of_stream=True),
    )
    known = [(made.next_offset, made.checked_offset, made.checksum) for made in acknowledged]
    assert known == [(0, 0, 0), (3, 3, CHECKSUMS[3]), (4, 4, CHECKSUMS[4])]
    assert [made.end_of_stream for made in acknowledged] == [False, False, True]
    for start in range(5):
        (last,) = await responses(channel, start_offset=start)
        assert (last.checked_offset, last.checksum, last.end_of_stream) == (4, CHECKSUMS[4], True)


@pytest.mark.parametrize("start_offset", range(5))
@pytest.mark.parametrize("checked_offset", range(5))
async def test_a_position_is_accepted_only_if_it_matches_the_log(
    channel: Channel, start_offset: int, checked_offset: int
) -> None:
    (response,) = await publish(channel, PublishRequest(stream_id="s", events=EVENTS, end_of_stream=True))
    position: dict[str, Any] = {"epoch": response.epoch, "start_offset": start_offset, "checked_offset": checked_offset}
    assert await subscribe(channel, **position, checksum=CHECKSUMS[checked_offset]) == EVENTS[start_offset:]
    assert await refusal(subscribe(channel, **position, checksum=CHECKSUMS[checked_offset] ^ 1)) == DIVERGED
    beyond = position | {"checked_offset": 5}
    assert await refusal(subscribe(channel, **beyond, checksum=CHECKSUMS[4])) == DIVERGED


async def test_a_publisher_of_a_diverged_log_gets_stream_diverged(channel: Channel) -> None:
    claim = await draw_claim(channel)
    await publish(channel, appends(claim, 0, 2))
    for checked_offset, known in ((2, 1), (3, CHECKSUMS[3])):
        request = appends(claim, 2, 1, checked_offset=checked_offset, checksum=known)
        assert await refusal(publish(channel, request)) == DIVERGED
    await publish(channel, appends(claim, 2, 1, checked_offset=1, checksum=CHECKSUMS[1]))


async def test_a_number_fences_with_its_first_request_and_not_when_drawn(channel: Channel) -> None:
    old, new = await draw_claim(channel), await draw_claim(channel)
    assert old.publisher < new.publisher
    (acknowledged,) = await publish(channel, appends(old, 0, 1))
    assert not acknowledged.HasField("publisher")
    (claimed,) = await publish(channel, new)
    assert claimed.next_offset == 1
    for request in (old, appends(old, 1, 1), PublishRequest(stream_id="s", events=[event(9)])):
        assert await refusal(publish(channel, request)) == FENCED
    await publish(channel, appends(new, 1, 3, end_of_stream=True))
    assert await subscribe(channel) == EVENTS


@pytest.mark.parametrize("failure", [None, FAILURE])
async def test_subscribers_and_a_publisher_that_lost_the_reply_get_the_ending(
    channel: Channel, failure: StreamFailure | None
) -> None:
    claim = await draw_claim(channel)
    ending = appends(claim, 0, 4, end_of_stream=True, failure=failure)
    for _ in range(2):
        (response,) = await publish(channel, ending)
        assert (response.end_of_stream, response.next_offset) == (True, 4)
        assert response.failure == (failure or StreamFailure())
    for request in (PublishRequest(stream_id="s", publisher=0), claim):
        (response,) = await publish(channel, request)
        assert (response.end_of_stream, response.HasField("failure")) == (True, failure is not None)
    (last,) = await responses(channel)
    assert (list(last.events), last.end_of_stream, last.HasField("failure")) == (EVENTS, True, failure is not None)
    other = appends(claim, 0, 4, end_of_stream=True, failure=StreamFailure(reason="OTHER"))
    assert await refusal(publish(channel, other)) == (grpc.StatusCode.FAILED_PRECONDITION, "STREAM_FINISHED")


async def test_a_subscriber_can_require_that_the_stream_exists(channel: Channel) -> None:
    missing = (grpc.StatusCode.NOT_FOUND, "STREAM_NOT_FOUND")
    assert await refusal(subscribe(channel, must_exist=True)) == missing


@pytest.mark.parametrize(
    "fields, field",
    [
        ({"checked_offset": 0, "epoch": 1}, "checksum"),
        ({"checksum": 0, "epoch": 1}, "checked_offset"),
        ({"checked_offset": 0, "checksum": 0}, "epoch"),
        ({"publisher": 1}, "epoch"),
        ({"publisher": 1, "epoch": 1, "events": EVENTS}, "first_offset"),
        ({"publisher": 0, "events": EVENTS}, "publisher"),
        ({"publisher": 0, "end_of_stream": True}, "publisher"),
        ({"publisher": 2**53, "epoch": 1}, "publisher"),
        ({"failure": FAILURE}, "failure"),
        ({"failure": StreamFailure(), "end_of_stream": True}, "failure.reason"),
        ({"failure": StreamFailure(reason="\u20ac" * 22), "end_of_stream": True}, "failure.reason"),
        ({"failure": StreamFailure(reason="R", message="m" * 4097), "end_of_stream": True}, "failure.message"),
    ],
)
async def test_an_invalid_request_names_its_field(channel: Channel, fields: dict[str, Any], field: str) -> None:
    calls = [publish(channel, PublishRequest(stream_id="s", **fields))]
    if fields.keys() <= {"checked_offset", "checksum", "epoch"}:
        calls.append(responses(channel, **fields))  # type: ignore[arg-type]
    for call in calls:
        code, details = await status(call)
        assert code == grpc.StatusCode.INVALID_ARGUMENT
        assert [violation.field for violation in details["BadRequest"].field_violations] == [field]
