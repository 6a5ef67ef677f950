"""The contract: what no change may change, and what every event keeps to."""

import pytest

from openresponses.v1 import events_pb2, stream_service_pb2
from openresponses.v1.annotations_pb2 import event_type
from openresponses_grpc import wire

WRAPPER = events_pb2.OpenResponsesStreamEvent.DESCRIPTOR
EVENTS = {
    arm.name: arm.message_type
    for arm in WRAPPER.oneofs_by_name["event"].fields
    if arm.message_type and arm.name != "unrecognized"
}

# A field number never changes its meaning: this table only grows.
NUMBERS = {
    "OpenResponsesStreamEvent": {
        "image_generation_call_generating": 1,
        "image_generation_call_completed": 2,
        "image_generation_call_in_progress": 3,
        "image_generation_call_partial_image": 4,
        "unrecognized": 15,
        "extra_json": 16,
    },
    "OpenResponsesImageGenCallGenerating": {"item_id": 1, "output_index": 2, "sequence_number": 3},
    "OpenResponsesImageGenCallCompleted": {"item_id": 1, "output_index": 2, "sequence_number": 3},
    "OpenResponsesImageGenCallInProgress": {"item_id": 1, "output_index": 2, "sequence_number": 3},
    "OpenResponsesImageGenCallPartialImage": {
        "item_id": 1,
        "output_index": 2,
        "sequence_number": 3,
        "partial_image_b64": 4,
        "partial_image_index": 5,
    },
    "UnrecognizedEvent": {"type": 1, "json": 2},
    "PublishRequest": {"stream_id": 1, "first_offset": 2, "events": 3, "end_of_stream": 4, "epoch": 5},
    "PublishResponse": {"next_offset": 1, "epoch": 2},
    "SubscribeRequest": {"stream_id": 1, "start_offset": 2, "epoch": 3},
    "SubscribeResponse": {"first_offset": 1, "events": 2, "end_of_stream": 3, "epoch": 4},
}


@pytest.mark.parametrize("message", NUMBERS)
def test_field_numbers_stay(message: str) -> None:
    module = events_pb2 if message in events_pb2.DESCRIPTOR.message_types_by_name else stream_service_pb2
    fields = module.DESCRIPTOR.message_types_by_name[message].fields
    assert {field.name: field.number for field in fields}.items() >= NUMBERS[message].items()


@pytest.mark.parametrize("arm", EVENTS)
def test_every_event_has_a_type_and_an_arm_named_after_it(arm: str) -> None:
    type_name = EVENTS[arm].GetOptions().Extensions[event_type]
    assert arm == type_name.removeprefix("response.").replace(".", "_")


@pytest.mark.parametrize("arm", EVENTS)
def test_every_property_tells_zero_from_missing(arm: str) -> None:
    assert all(field.has_presence for field in EVENTS[arm].fields)
    assert "type" not in EVENTS[arm].fields_by_name


def test_event_types_are_told_apart() -> None:
    types = [message.GetOptions().Extensions[event_type] for message in EVENTS.values()]
    assert len(set(types)) == len(types)


def test_the_documented_event_s_bytes_stay() -> None:
    event = events_pb2.OpenResponsesStreamEvent()
    message = event.image_generation_call_generating
    message.item_id, message.output_index, message.sequence_number = "<id>", 7977.54, 0
    assert event.SerializeToString().hex() == "0a180a043c69643e11d7a3703d8a29bf40190000000000000000"


@pytest.mark.parametrize("name", ["PublishRequest", "SubscribeResponse"])
def test_a_message_with_events_as_bytes_is_the_same_on_the_wire(name: str) -> None:
    event = events_pb2.OpenResponsesStreamEvent(unrecognized=events_pb2.UnrecognizedEvent(type="x", json="{}"))
    generated = getattr(stream_service_pb2, name)(events=[event, event], first_offset=7, end_of_stream=True, epoch=9)
    twin = getattr(wire, name).FromString(generated.SerializeToString())
    assert list(twin.events) == [event.SerializeToString()] * 2
    assert twin.SerializeToString() == generated.SerializeToString()
