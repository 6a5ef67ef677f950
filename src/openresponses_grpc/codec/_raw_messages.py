"""The stream service's messages with events as serialized bytes.

A repeated message and a repeated `bytes` field have the same wire format. These classes replace
`OpenResponsesStreamEvent` with `bytes`: the server stores and forwards events as received, without parsing them, and
fields of a newer contract pass through an older server.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from openresponses_grpc.v1 import stream_service_pb2
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

SERVICE_NAME: str = stream_service_pb2.DESCRIPTOR.services_by_name["OpenResponsesStreamService"].full_name
PUBLISH = f"/{SERVICE_NAME}/Publish"
SUBSCRIBE = f"/{SERVICE_NAME}/Subscribe"

BATCH_BYTES = 1 << 20
"""Maximum bytes of events in a batch, unless one event is larger. Well below gRPC's default limit of 4 MiB."""

RESPONSE_BYTES = 256 << 10
"""Maximum bytes of events in a response to a subscriber. The server buffers twice as much for one that stalls."""

MAX_REQUEST_BYTES = 16 << 20
"""Default size limit of a request to a server, in bytes. gRPC blocks all calls while it copies a message."""

MAX_MESSAGE_BYTES = 64 << 20
"""Size limit of gRPC messages in this library's clients, in bytes. Servers cannot usefully have a higher limit."""

MAX_EVENT_BYTES = MAX_MESSAGE_BYTES - (64 << 10)
"""Size limit of an event, in bytes. The difference to MAX_MESSAGE_BYTES is for the rest of the message."""

MAX_EVENTS = 1 << 16
"""Maximum events in one request."""

MAX_ELEMENTS = 1 << 20
"""Maximum messages, strings and lists in one event, at all levels."""

MAX_STREAM_ID_BYTES = 256
MAX_REASON_BYTES = 64
MAX_FAILURE_MESSAGE_BYTES = 4096


def _raw_file() -> FileDescriptorProto:
    file = FileDescriptorProto()
    stream_service_pb2.DESCRIPTOR.CopyToProto(file)
    del file.service[:], file.dependency[:], file.enum_type[:]
    kept = {"PublishRequest", "SubscribeResponse", "StreamFailure"}
    for index in reversed(range(len(file.message_type))):
        if file.message_type[index].name not in kept:
            del file.message_type[index]
    event = f".{OpenResponsesStreamEvent.DESCRIPTOR.full_name}"
    for message in file.message_type:
        for field in message.field:
            if field.type_name == event:
                field.ClearField("type_name")
                field.type = FieldDescriptorProto.TYPE_BYTES
    return file


_pool = DescriptorPool()
_pool.Add(_raw_file())


def _raw_class(message: type) -> Any:
    return GetMessageClass(_pool.FindMessageTypeByName(message.DESCRIPTOR.full_name))  # type: ignore[attr-defined]


PublishRequest = _raw_class(stream_service_pb2.PublishRequest)
SubscribeResponse = _raw_class(stream_service_pb2.SubscribeResponse)
StreamFailure = _raw_class(stream_service_pb2.StreamFailure)
