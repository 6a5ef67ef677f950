"""The methods of the service, for the channels of either kind."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.message import Message

from openresponses_grpc.v1 import stream_service_pb2 as messages

from ..codec import _raw_messages as raw_messages


def publish(channel: Any) -> Any:
    """`Publish`, with each event as bytes."""
    return channel.stream_stream(
        raw_messages.PUBLISH,
        request_serializer=raw_messages.PublishRequest.SerializeToString,
        response_deserializer=messages.PublishResponse.FromString,
    )


def subscribe(channel: Any) -> Any:
    """`Subscribe`, with each event as bytes."""
    return channel.unary_stream(
        raw_messages.SUBSCRIBE,
        request_serializer=messages.SubscribeRequest.SerializeToString,
        response_deserializer=raw_messages.SubscribeResponse.FromString,
    )


def unary(channel: Any, request: Message) -> Any:
    """The method that takes this request and has one response."""
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
    """Changes a request for a retry: the call before it may have deleted the stream, though it failed."""
    if isinstance(request, messages.DeleteStreamRequest):
        request.allow_missing = True
