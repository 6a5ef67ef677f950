"""The RPCs of the service, for asyncio and synchronous channels."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.message import Message

from openresponses_grpc.v1 import stream_service_pb2 as messages

from ..codec import _raw_messages as raw_messages


def publish(channel: Any) -> Any:
    """Returns the `Publish` RPC, with serialized events."""
    return channel.stream_stream(
        raw_messages.PUBLISH,
        request_serializer=raw_messages.PublishRequest.SerializeToString,
        response_deserializer=messages.PublishResponse.FromString,
    )


def subscribe(channel: Any) -> Any:
    """Returns the `Subscribe` RPC, with serialized events."""
    return channel.unary_stream(
        raw_messages.SUBSCRIBE,
        request_serializer=messages.SubscribeRequest.SerializeToString,
        response_deserializer=raw_messages.SubscribeResponse.FromString,
    )


def unary(channel: Any, request: Message) -> Any:
    """Returns the unary RPC for a request."""
    response, name = _UNARY[type(request)]
    return channel.unary_unary(
        f"/{raw_messages.SERVICE_NAME}/{name}",
        request_serializer=type(request).SerializeToString,
        response_deserializer=response.FromString,
    )


_UNARY: Final[dict[type[Message], tuple[type[Message], str]]] = {
    messages.GetStreamRequest: (messages.GetStreamResponse, "GetStream"),
    messages.ListStreamsRequest: (messages.ListStreamsResponse, "ListStreams"),
    messages.DeleteStreamRequest: (messages.DeleteStreamResponse, "DeleteStream"),
}


def prepare_retry(request: Message) -> None:
    """Adapts a request for a retry: a failed DeleteStream call may have deleted the stream."""
    if isinstance(request, messages.DeleteStreamRequest):
        request.allow_missing = True
