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
    events = [
        EventType(arm.message_type.name, options.Extensions[event_type], arm.name, tuple(arm.message_type.fields))
        for arm in OpenResponsesStreamEvent.DESCRIPTOR.oneofs_by_name["event"].fields
        if (options := arm.message_type.GetOptions()).HasExtension(event_type)
    ]
    return {event.message: event for event in events}


EVENT_TYPES = _event_types()
