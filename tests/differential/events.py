"""The events of the contract, read from its descriptors: what is compared, and with what."""

from __future__ import annotations

from typing import NamedTuple

from google.protobuf.descriptor import FieldDescriptor

from openresponses.v1.annotations_pb2 import event_type
from openresponses.v1.events_pb2 import OpenResponsesStreamEvent


class EventType(NamedTuple):
    """An event of the contract; the SDKs name their type as the contract names its message."""

    message: str
    type: str
    arm: str
    fields: tuple[FieldDescriptor, ...]


def _event_types() -> dict[str, EventType]:
    events = {}
    for arm in OpenResponsesStreamEvent.DESCRIPTOR.oneofs_by_name["event"].fields:
        message = arm.message_type
        if message is not None and message.GetOptions().HasExtension(event_type):
            type = message.GetOptions().Extensions[event_type]
            events[message.name] = EventType(message.name, type, arm.name, tuple(message.fields))
    return events


EVENT_TYPES = _event_types()
