"""The stream service's messages with each event left as its bytes.

On the wire a repeated message and a repeated `bytes` are the same. These twins of the generated classes have `bytes`
where those have `OpenResponsesStreamEvent`, so that a log stores what arrived and a response is put together from it
without a parse, and so that a field of a newer contract passes through an older server.
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
"""Bytes of events up to which one gRPC message is filled: well below the 4 MiB that peers accept by default."""

RESPONSE_BYTES = 256 << 10
"""Bytes of events up to which a message to a subscriber is filled: for one who does not read, twice as much is held."""

MAX_MESSAGE_BYTES = 64 << 20
"""The largest gRPC message that this library's servers and clients accept."""

MAX_EVENT_BYTES = MAX_MESSAGE_BYTES - (64 << 10)
"""The largest event that a publisher may send, in bytes; what surrounds it in a message has its room."""

MAX_EVENTS = 1 << 16
"""The events that one request may have."""

MAX_ELEMENTS = 1 << 20
"""The messages, strings and lists that one event may have, at all levels."""

MAX_STREAM_ID_BYTES = 256
MAX_REASON_BYTES = 64
MAX_FAILURE_MESSAGE_BYTES = 4096


def _twin_file() -> FileDescriptorProto:
    file = FileDescriptorProto()
    stream_service_pb2.DESCRIPTOR.CopyToProto(file)
    del file.service[:], file.dependency[:], file.enum_type[:]
    twins = {"PublishRequest", "SubscribeResponse", "StreamFailure"}
    for index in reversed(range(len(file.message_type))):
        if file.message_type[index].name not in twins:
            del file.message_type[index]
    event = f".{OpenResponsesStreamEvent.DESCRIPTOR.full_name}"
    for message in file.message_type:
        for field in message.field:
            if field.type_name == event:
                field.ClearField("type_name")
                field.type = FieldDescriptorProto.TYPE_BYTES
    return file


_pool = DescriptorPool()
_pool.Add(_twin_file())


def _twin(message: type) -> Any:
    return GetMessageClass(_pool.FindMessageTypeByName(message.DESCRIPTOR.full_name))  # type: ignore[attr-defined]


PublishRequest = _twin(stream_service_pb2.PublishRequest)
SubscribeResponse = _twin(stream_service_pb2.SubscribeResponse)
StreamFailure = _twin(stream_service_pb2.StreamFailure)
