"""Accumulates the events of one output item."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from openresponses_grpc.v1 import content_pb2
from openresponses_grpc.v1.items_pb2 import ResponsesOutputItem

PARTS: Final[dict[str, dict[str, type[Any]]]] = {
    "message": {"content": content_pb2.ResponsesOutputMessageContent},
    "reasoning": {"content": content_pb2.ResponsesReasoningContent, "summary": content_pb2.ResponsesReasoningSummary},
}
"""Item kinds with parts: the names of their lists, and the union type of the parts."""

TEXTS: Final = {
    "output_text": ("message", "content", "output_text", "text"),
    "refusal": ("message", "content", "refusal", "refusal"),
    "reasoning_text": ("reasoning", "content", "reasoning_text", "text"),
    "reasoning_summary_text": ("reasoning", "summary", "summary_text", "text"),
    "function_call_arguments": ("function_call", "", "", "arguments"),
    "mcp_call_arguments": ("mcp_call", "", "", "arguments"),
    "custom_tool_call_input": ("custom_tool_call", "", "", "input"),
    "code_interpreter_call_code": ("code_interpreter_call", "", "", "code"),
    "apply_patch_call_operation_diff": ("apply_patch_call", "operation", "", "diff"),
}
"""For each pair of `…_delta` and `…_done` events: item kind, list or field of the item, part kind, and text field."""

_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class GrowingItem:
    """An output item, and what its events have added to it.

    Attributes:
        kind: name of the item's union member.
        id: id of the item; empty if it has none.
        done: whether the item is complete.
        announced: whether an event contained the item itself, rather than only parts of it.

    """

    def __init__(self, item: ResponsesOutputItem, *, done: bool = False, announced: bool = True) -> None:
        self.done, self.announced = done, announced
        self.kind = item.WhichOneof("kind") or ""
        self._item = ResponsesOutputItem()
        self._item.CopyFrom(item)
        self._body: Any = getattr(self._item, self.kind, None)
        self.id: str = getattr(self._body, "id", "")
        # By list and index; indexes may have gaps.
        self._parts: dict[tuple[str, float], Any] = {}
        # By list, index and field: the message that contains the field, and the pieces of its text.
        self._texts: dict[tuple[str, float, str], tuple[Any, list[str]]] = {}
        for name in PARTS.get(self.kind, ()):
            for index, part in enumerate(getattr(self._body, name).items):
                self._parts[name, index] = part

    def announce(self, item: GrowingItem) -> None:
        """Merges the properties of an item whose parts arrived before it."""
        if self.kind == item.kind and not self.done:
            self._body.MergeFrom(item._body)
            self.announced = True

    def set_part(self, event: Any, name: str, *, done: bool) -> None:
        """Adds a part, or replaces it with the complete part."""
        key, kind = (name, index_of(event, f"{name}_index") or 0.0), event.part.WhichOneof("kind")
        union = PARTS[self.kind][name]
        if kind in union.DESCRIPTOR.fields_by_name and (done or key not in self._parts):
            self._texts = {text: value for text, value in self._texts.items() if text[:2] != key}
            self._parts[key] = union()
            getattr(self._parts[key], kind).CopyFrom(getattr(event.part, kind))

    def add_text(self, event: Any, subject: str, *, done: bool) -> None:
        """Appends a delta, or replaces the text with the complete text."""
        _, name, kind, field = TEXTS[subject]
        key = (name, index_of(event, f"{name}_index") or 0.0, field)
        if key not in self._texts:
            holder = self._holder(*key[:2], kind)
            if holder is None:
                return
            self._texts[key] = holder, [getattr(holder, field)]
        holder, pieces = self._texts[key]
        if not done:
            pieces.append(event.delta)
        elif event.HasField(field):
            pieces[:] = [getattr(event, field)]
        if subject == "output_text" and event.logprobs.items:
            drop_extra(holder, "logprobs")
            if done:
                del holder.logprobs.items[:]
            holder.logprobs.items.extend(event.logprobs.items)

    def add_annotation(self, event: Any) -> None:
        """Appends an annotation to a part."""
        if not event.HasField("annotation"):
            return
        part = self._holder("content", index_of(event, "content_index") or 0.0, "output_text")
        if part is not None:
            drop_extra(part, "annotations")
            part.annotations.items.append(event.annotation)

    def built(self) -> ResponsesOutputItem:
        """Returns a copy of the item in its current state."""
        for (_, _, field), (holder, pieces) in self._texts.items():
            drop_extra(holder, field)
            pieces[:] = ["".join(pieces)]
            setattr(holder, field, pieces[0])
        item = ResponsesOutputItem()
        item.CopyFrom(self._item)
        for name in {name for name, _ in self._parts}:
            body = getattr(item, self.kind)
            drop_extra(body, name)
            del getattr(body, name).items[:]
            getattr(body, name).items.extend(self._parts[key] for key in sorted(self._parts) if key[0] == name)
        return item

    def _holder(self, name: str, index: float, kind: str) -> Any:
        """Returns the message that contains a text: the item, its patch or a part; None if its kind does not match."""
        if not name:
            return self._body
        if name == "operation":
            operation, kind = self._body.operation, self._body.operation.WhichOneof("kind")
            return getattr(operation, kind) if kind in ("create_file", "update_file") else None
        part = self._parts.setdefault((name, index), PARTS[self.kind][name]())
        return getattr(part, kind) if part.WhichOneof("kind") in (None, kind) else None


def index_of(event: Any, name: str) -> float | None:
    """Returns an index of an event; None if it is missing or NaN."""
    value: float = getattr(event, name, 0.0)
    return value if name in event.DESCRIPTOR.fields_by_name and event.HasField(name) and value == value else None


def drop_extra(message: Any, name: str) -> None:
    """Removes a property, usually `null`, from `extra_json`, because its field is about to be set."""
    if f'"{name}"' in message.extra_json:
        try:
            members = _members(message.extra_json)
        except msgspec.DecodeError:
            return
        if members.pop(name, None) is not None:
            message.extra_json = msgspec.json.encode(members).decode()
            if not members:
                message.ClearField("extra_json")
