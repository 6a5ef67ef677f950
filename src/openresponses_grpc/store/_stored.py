"""The message that stores keep events in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass


def _stored_events() -> Any:
    """The class of `message StoredEvents { repeated bytes events = 2; }`, numbered as `SubscribeResponse.events`."""
    file = FileDescriptorProto(name="stored_events.proto", package="openresponses_grpc.store", syntax="proto3")
    file.message_type.add(name="StoredEvents").field.add(
        name="events", number=2, type=FieldDescriptorProto.TYPE_BYTES, label=FieldDescriptorProto.LABEL_REPEATED
    )
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("openresponses_grpc.store.StoredEvents"))


_StoredEvents = _stored_events()


def serialize_events(events: Sequence[bytes]) -> bytes:
    """The bytes that a store keeps for events. Concatenated, they are the bytes for all of the events."""
    data: bytes = _StoredEvents(events=events).SerializeToString()
    return data


def parse_events(data: bytes) -> Sequence[bytes]:
    """The events in a store's bytes.

    Raises:
        DecodeError: the bytes are damaged.

    """
    events: Sequence[bytes] = _StoredEvents.FromString(data).events
    return events
