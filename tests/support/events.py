"""Events for tests."""

from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

GENERATING_JSON = (
    b'{"type":"response.image_generation_call.generating","itemId":"<id>","outputIndex":7977.54,"sequenceNumber":0}'
)
COMPLETED_JSON = (
    b'{"type":"response.image_generation_call.completed","itemId":"<id>","outputIndex":3469.55,"sequenceNumber":0}'
)
DOCUMENTED = (GENERATING_JSON, COMPLETED_JSON)


def event(number: int, *, padding: int = 0) -> OpenResponsesStreamEvent:
    """An event with a unique sequence number."""
    made = OpenResponsesStreamEvent()
    message = made.image_generation_call_generating
    message.item_id, message.output_index, message.sequence_number = "ig_" + "x" * padding, 0.5, number
    return made


def number(made: OpenResponsesStreamEvent) -> int:
    """The sequence number of an event from `event`."""
    return int(made.image_generation_call_generating.sequence_number)
