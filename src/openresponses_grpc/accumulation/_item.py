"""An output item that grows with its events."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from openresponses_grpc.v1 import content_pb2
from openresponses_grpc.v1.items_pb2 import ResponsesOutputItem

PARTS: Final[dict[str, dict[str, type[Any]]]] = {
    "message": {"content": content_pb2.ResponsesOutputMessageContent},
    "reasoning": {"content": content_pb2.ResponsesReasoningContent, "summary": content_pb2.ResponsesReasoningSummary},
}
"""The kinds of items that have parts: the names of the lists, and the unions in them."""

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
"""The events `…_delta` and `…_done`: the item's kind, the list or the field in it, the part's kind, and the text."""

_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class GrowingItem:
    """An output item, and what its events have added to it.

    Attributes:
        kind: the item's member.
        id: the item's id, empty if it has none.
        done: whether the item is complete.
        announced: whether an event has brought the item itself, and not only parts of it.

    """

    def __init__(self, item: ResponsesOutputItem, *, done: bool = False, announced: bool = True) -> None:
        self.done, self.announced = done, announced
        self.kind = item.WhichOneof("kind") or ""
        self._item = ResponsesOutputItem()
        self._item.CopyFrom(item)
        self._body: Any = getattr(self._item, self.kind, None)
        self.id: str = getattr(self._body, "id", "")
        # By the list and the index: indexes can have gaps.
        self._parts: dict[tuple[str, float], Any] = {}
        # By the list, the index and the field: the message that has the field, and the pieces of its text.
        self._texts: dict[tuple[str, float, str], tuple[Any, list[str]]] = {}
        for name in PARTS.get(self.kind, ()):
            for index, part in enumerate(getattr(self._body, name).items):
                self._parts[name, index] = part

    def announce(self, item: GrowingItem) -> None:
        """Adds the properties of an item of which parts have come before."""
        if self.kind == item.kind and not self.done:
            self._body.MergeFrom(item._body)
            self.announced = True

    def set_part(self, event: Any, name: str, *, done: bool) -> None:
        """Adds a part, or replaces it by the complete one."""
        key, kind = (name, index_of(event, f"{name}_index") or 0.0), event.part.WhichOneof("kind")
        union = PARTS[self.kind][name]
        if kind in union.DESCRIPTOR.fields_by_name and (done or key not in self._parts):
            self._texts = {text: value for text, value in self._texts.items() if text[:2] != key}
            self._parts[key] = union()
            getattr(self._parts[key], kind).CopyFrom(getattr(event.part, kind))

    def add_text(self, event: Any, subject: str, *, done: bool) -> None:
        """Appends a delta, or replaces the text by the complete one."""
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
        """Adds an annotation to a part, in the order in which they come."""
        if not event.HasField("annotation"):
            return
        part = self._holder("content", index_of(event, "content_index") or 0.0, "output_text")
        if part is not None:
            drop_extra(part, "annotations")
            part.annotations.items.append(event.annotation)

    def built(self) -> ResponsesOutputItem:
        """The item as it is now."""
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
        """The message that has a text: the item, its patch, or a part; None if that is of another kind."""
        if not name:
            return self._body
        if name == "operation":
            operation, kind = self._body.operation, self._body.operation.WhichOneof("kind")
            return getattr(operation, kind) if kind in ("create_file", "update_file") else None
        part = self._parts.setdefault((name, index), PARTS[self.kind][name]())
        return getattr(part, kind) if part.WhichOneof("kind") in (None, kind) else None


def index_of(event: Any, name: str) -> float | None:
    """An index in an event; None if there is none."""
    value: float = getattr(event, name, 0.0)
    return value if name in event.DESCRIPTOR.fields_by_name and event.HasField(name) and value == value else None


def drop_extra(message: Any, name: str) -> None:
    """Drops a property from `extra_json`, where a `null` stood, because its field is set now."""
    if f'"{name}"' in message.extra_json:
        try:
            members = _members(message.extra_json)
        except msgspec.DecodeError:
            return
        if members.pop(name, None) is not None:
            message.extra_json = msgspec.json.encode(members).decode()
            if not members:
                message.ClearField("extra_json")
