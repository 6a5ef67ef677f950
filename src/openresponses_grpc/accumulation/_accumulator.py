"""Accumulates stream events into a response."""

from __future__ import annotations

from typing import Any

from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc.v1.items_pb2 import ResponsesOutputItem
from openresponses_grpc.v1.response_pb2 import OpenResponsesNonStreamingResponse, OpenResponsesUsage

from ..codec._parsing import parse_event
from ._item import TEXTS, drop_extra
from ._output import GrowingOutput


class Accumulator:
    """Accumulates the events of a stream into a response.

    Items, parts, deltas and annotations are applied to the latest response snapshot. The response of a terminal event
    (`response.completed`, `.incomplete`, `.failed`) replaces the result. Some APIs leave its `output` empty; then the
    items of the `response.output_item` events are kept.

    Events after a terminal event are ignored, except a `response.created` with another id, which starts a new response.
    Also ignored are inconsistent events, audio, and the deltas of shell calls, which arrive complete in a
    `response.output_item.done`.
    """

    def __init__(self) -> None:
        self._response = OpenResponsesNonStreamingResponse()
        self._output = GrowingOutput()
        self._ended = False

    @property
    def response(self) -> OpenResponsesNonStreamingResponse:
        """The response so far. Each access builds a new copy."""
        response = OpenResponsesNonStreamingResponse()
        response.CopyFrom(self._response)
        if self._output:
            drop_extra(response, "output")
            del response.output.items[:]
            response.output.items.extend(self._output.built())
        return response

    @property
    def text(self) -> str:
        """The text of the response's messages, without refusals and reasoning."""
        parts = (part for item in self._output.built() for part in item.message.content.items)
        return "".join(part.output_text.text for part in parts)

    @property
    def tool_calls(self) -> list[ResponsesOutputItem]:
        """The output items that are calls of functions or built-in tools: those whose kind ends in `_call`."""
        return [item for item in self._output.built() if (item.WhichOneof("kind") or "").endswith("_call")]

    @property
    def usage(self) -> OpenResponsesUsage | None:
        """The token usage; None until an event, usually the terminal one, contains it."""
        return self.response.usage if self._response.HasField("usage") else None

    def add(self, event: OpenResponsesStreamEvent | bytes) -> None:
        """Applies the next event of the stream.

        Args:
            event: the message, or its serialized form.

        Raises:
            InvalidProtobufError: the bytes are not a serialized event.

        """
        event = _message(event)
        member = event.WhichOneof("kind") or ""
        body: Any = getattr(event, member, None)
        if member == "created" and body.HasField("response") and body.response.id != self._response.id:
            self._output, self._ended = GrowingOutput(), False
        if self._ended:
            return
        subject, _, verb = member.rpartition("_")
        done = verb == "done"
        match member:
            case "created" | "queued" | "in_progress" | "completed" | "incomplete" | "failed":
                if body.HasField("response"):
                    self._set_response(body.response, terminal=member in ("completed", "incomplete", "failed"))
            case "error":
                self._fail(body)
            case "output_item_added" | "output_item_done":
                if body.HasField("item"):
                    self._output.set(body, done=done)
            case "content_part_added" | "content_part_done":
                kind = "reasoning" if body.part.WhichOneof("kind") == "reasoning_text" else "message"
                if item := self._output.find(body, kind):
                    item.set_part(body, "content", done=done)
            case "reasoning_summary_part_added" | "reasoning_summary_part_done":
                if item := self._output.find(body, "reasoning"):
                    item.set_part(body, "summary", done=done)
            case "output_text_annotation_added":
                if item := self._output.find(body, "message"):
                    item.add_annotation(body)
            case _ if subject in TEXTS:
                if item := self._output.find(body, TEXTS[subject][0]):
                    item.add_text(body, subject, done=done)

    def _set_response(self, response: OpenResponsesNonStreamingResponse, *, terminal: bool) -> None:
        self._response.CopyFrom(response)
        self._ended = terminal
        if terminal:
            self._output.keep_announced()
        if response.output.items and (terminal or not self._output):
            self._output = GrowingOutput(response.output.items)

    def _fail(self, error: Any) -> None:
        drop_extra(self._response, "error")
        drop_extra(self._response, "status")
        self._response.status = "failed"
        for source in (error, error.error):
            for name in ("code", "message", "param", "type"):
                if name in source.DESCRIPTOR.fields_by_name and source.HasField(name):
                    setattr(self._response.error, name, getattr(source, name))


def _message(event: OpenResponsesStreamEvent | bytes) -> OpenResponsesStreamEvent:
    if isinstance(event, OpenResponsesStreamEvent):
        return event
    if not isinstance(event, bytes):
        raise TypeError(f"expected an OpenResponsesStreamEvent or its bytes, got {type(event).__name__}")
    return parse_event(event)
