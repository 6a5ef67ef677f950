"""Small events, and the response that `accumulate` builds from them."""

from __future__ import annotations

from typing import Any

from openresponses_grpc import Accumulator, accumulate, from_dict, to_dict
from openresponses_grpc.codec._schema import Naming
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc.v1.response_pb2 import OpenResponsesNonStreamingResponse

Object = dict[str, Any]


def event_of(response: OpenResponsesNonStreamingResponse) -> OpenResponsesStreamEvent:
    """Wraps a response in an event, because only events can be converted to JSON."""
    event = OpenResponsesStreamEvent()
    event.completed.response.CopyFrom(response)
    return event


def as_json(response: OpenResponsesNonStreamingResponse, naming: Naming = "snake_case") -> Any:
    return to_dict(event_of(response), naming=naming)["response"]


def accumulated(*events: Object) -> Accumulator:
    """Accumulates events whose types omit the prefix `response.`."""
    return accumulate(from_dict(event | {"type": f"response.{event['type']}"}) for event in events)


def output(*events: Object) -> Any:
    return as_json(accumulated(*events).response).get("output")


def at(index: int | None, type: str, **properties: Any) -> Object:
    return {"type": type} | ({} if index is None else {"output_index": index}) | properties


def added(index: int | None, type: str, **properties: Any) -> Object:
    return at(index, "output_item.added", item={"type": type, **properties})


def done(index: int | None, type: str, **properties: Any) -> Object:
    return at(index, "output_item.done", item={"type": type, **properties})


def delta(index: int | None, text: str, **properties: Any) -> Object:
    return at(index, "output_text.delta", delta=text, **properties)


def snapshot(type: str, id: str = "resp_1", **properties: Any) -> Object:
    return {"type": type, "response": {"id": id, **properties}}


def message(*texts: str, **properties: Any) -> Object:
    return {"type": "message", **properties, "content": [{"type": "output_text", "text": text} for text in texts]}


def events_of(subject: str, field: str, **place: Any) -> list[Object]:
    deltas = [at(0, f"{subject}.delta", delta=text, **place) for text in ("ab", "", "c")]
    return [*deltas, at(0, f"{subject}.done", **{field: "abcd"}, **place)]
