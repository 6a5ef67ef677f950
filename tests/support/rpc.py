"""Calls to the service without the client library, and their statuses."""

from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc.v1.stream_service_pb2 import PublishRequest, PublishResponse, SubscribeRequest
from openresponses_grpc.v1.stream_service_pb2_grpc import OpenResponsesStreamServiceStub

Channel = grpc.aio.Channel


async def publish(channel: Channel, *requests: PublishRequest) -> list[tuple[int, int]]:
    """Sends each request after the reply to the previous one; returns (next_offset, epoch) of each reply."""
    call = OpenResponsesStreamServiceStub(channel).Publish()
    replies = []
    for request in requests:
        await call.write(request)
        response = await call.read()
        assert isinstance(response, PublishResponse)
        replies.append((response.next_offset, response.epoch))
    await call.done_writing()
    assert await call.code() == grpc.StatusCode.OK
    return replies


async def subscribe(channel: Channel, *, stream_id: str = "s", **request: Any) -> list[OpenResponsesStreamEvent]:
    """Reads a stream to its end."""
    responses = OpenResponsesStreamServiceStub(channel).Subscribe(SubscribeRequest(stream_id=stream_id, **request))
    return [made async for response in responses for made in response.events]


async def status(awaited: Any) -> tuple[grpc.StatusCode, dict[str, Any]]:
    """The status code of a failed call, and its details by type name."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await awaited
    return status_of(caught.value)


def status_of(error: BaseException) -> tuple[grpc.StatusCode, dict[str, Any]]:
    assert isinstance(error, grpc.aio.AioRpcError)
    rich = rpc_status.from_call(error)
    details = {}
    for packed in rich.details if rich else ():
        kind = getattr(error_details_pb2, packed.TypeName().rpartition(".")[2])
        details[kind.__name__] = kind.FromString(packed.value)
    return error.code(), details


def reason(details: dict[str, Any]) -> str:
    """The reason in the details of a status."""
    return str(details["ErrorInfo"].reason)
