"""The message in which stores keep events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass


def _stored_events() -> Any:
    """Builds the class of `message StoredEvents { repeated bytes events = 2; }`; 2 as in `SubscribeResponse`."""
    file = FileDescriptorProto(name="stored_events.proto", package="openresponses_grpc.store", syntax="proto3")
    file.message_type.add(name="StoredEvents").field.add(
        name="events", number=2, type=FieldDescriptorProto.TYPE_BYTES, label=FieldDescriptorProto.LABEL_REPEATED
    )
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("openresponses_grpc.store.StoredEvents"))


_StoredEvents = _stored_events()


def serialize_events(events: Sequence[bytes]) -> bytes:
    """Serializes events for a store. Serialized events can be concatenated."""
    data: bytes = _StoredEvents(events=events).SerializeToString()
    return data


def parse_events(data: bytes) -> Sequence[bytes]:
    """Parses serialized events.

    Raises:
        DecodeError: the bytes are damaged.

    """
    events: Sequence[bytes] = _StoredEvents.FromString(data).events
    return events
