"""GetStream, ListStreams and DeleteStream over plain gRPC."""

import time
from typing import Any

import grpc
import pytest

from openresponses_grpc.v1.stream_service_pb2 import (
    DeleteStreamRequest,
    GetStreamRequest,
    ListStreamsRequest,
    PublishRequest,
    StreamFailure,
    StreamInfo,
    StreamState,
)
from openresponses_grpc.v1.stream_service_pb2_grpc import OpenResponsesStreamServiceStub

from ..support.events import event
from ..support.rpc import Channel, publish, reason, status

FAILURE = StreamFailure(reason="UPSTREAM_TIMEOUT", message="no event for 30 seconds")


async def describe(channel: Channel, stream_id: str = "s") -> StreamInfo:
    stub = OpenResponsesStreamServiceStub(channel)
    return (await stub.GetStream(GetStreamRequest(stream_id=stream_id))).stream


async def test_get_stream_describes_a_stream(channel: Channel) -> None:
    events = [event(0), event(1)]
    ((_, epoch),) = await publish(channel, PublishRequest(stream_id="s", events=events))
    info = await describe(channel)
    assert (info.stream_id, info.epoch, info.state) == ("s", epoch, StreamState.STREAM_STATE_OPEN)
    assert (info.first_offset, info.next_offset) == (0, 2)
    assert info.event_bytes == sum(made.ByteSize() for made in events)
    assert abs(info.create_time.ToSeconds() - time.time()) < 60
    assert not info.HasField("expire_time")
    await publish(channel, PublishRequest(stream_id="s", end_of_stream=True, failure=FAILURE))
    info = await describe(channel)
    assert (info.state, info.failure) == (StreamState.STREAM_STATE_FAILED, FAILURE)
    assert info.expire_time.ToSeconds() > info.update_time.ToSeconds() >= info.create_time.ToSeconds()


@pytest.mark.parametrize("page_size", [0, 1, 2, 3, 5000])
async def test_pages_list_every_stream_once(channel: Channel, page_size: int) -> None:
    for stream_id in "dbca":
        await publish(channel, PublishRequest(stream_id=stream_id))
    stub = OpenResponsesStreamServiceStub(channel)
    found: list[str] = []
    request = ListStreamsRequest(page_size=page_size)
    while True:
        response = await stub.ListStreams(request)
        assert not page_size or len(response.streams) <= page_size
        found += [info.stream_id for info in response.streams]
        request.page_token = response.next_page_token
        if not request.page_token:
            break
    assert sorted(found) == list("abcd")


async def test_a_deleted_stream_is_gone(channel: Channel) -> None:
    stub = OpenResponsesStreamServiceStub(channel)
    ((_, epoch),) = await publish(channel, PublishRequest(stream_id="s", events=[event(0)]))
    code, details = await status(stub.DeleteStream(DeleteStreamRequest(stream_id="s", epoch=epoch + 1)))
    assert (code, reason(details)) == (grpc.StatusCode.FAILED_PRECONDITION, "EPOCH_MISMATCH")
    await stub.DeleteStream(DeleteStreamRequest(stream_id="s", epoch=epoch))
    await stub.DeleteStream(DeleteStreamRequest(stream_id="s", allow_missing=True))
    for call in (
        stub.DeleteStream(DeleteStreamRequest(stream_id="s")),
        stub.GetStream(GetStreamRequest(stream_id="s")),
        publish(channel, PublishRequest(stream_id="s", epoch=epoch)),
    ):
        code, details = await status(call)
        assert (code, reason(details)) == (grpc.StatusCode.NOT_FOUND, "STREAM_NOT_FOUND")


@pytest.mark.parametrize("method, field", [("GetStream", "stream_id"), ("DeleteStream", "stream_id")])
async def test_a_request_requires_a_stream_id(channel: Channel, method: str, field: str) -> None:
    requests: dict[str, Any] = {"GetStream": GetStreamRequest(), "DeleteStream": DeleteStreamRequest()}
    code, details = await status(getattr(OpenResponsesStreamServiceStub(channel), method)(requests[method]))
    assert (code, details["BadRequest"].field_violations[0].field) == (grpc.StatusCode.INVALID_ARGUMENT, field)


async def test_a_negative_page_size_is_rejected(channel: Channel) -> None:
    code, details = await status(OpenResponsesStreamServiceStub(channel).ListStreams(ListStreamsRequest(page_size=-1)))
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert details["BadRequest"].field_violations[0].field == "page_size"
