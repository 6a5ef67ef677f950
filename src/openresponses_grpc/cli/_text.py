"""Extracts the text of a response as it streams. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..codec._parsing import parse_event


class TextWriter:
    """Writes the text and the refusals of a response's messages, followed by a line end.

    The text comes from the deltas, or, for a part without deltas, from the first event with the complete part. Indexes
    identify the parts. Because some APIs send wrong indexes, a complete text that already occurs in the output is not
    written again.
    """

    def __init__(self) -> None:
        self._begin("")

    def _begin(self, response_id: str) -> None:
        self._response_id = response_id
        self._parts: set[tuple[float, float]] = set()  # written, at least in part
        self._deltas: list[str] = []
        self._all: list[str] = []  # deltas and complete texts

    def write(self, events: Iterable[bytes]) -> Iterator[bytes]:
        """Yields the text that the events add."""
        for event in events:
            for text in self._texts(parse_event(event)):
                yield text.encode()

    def close(self) -> bytes:
        """Returns the line end after the text; empty if there was no text."""
        return b"\n" if self._all else b""

    def _texts(self, event: Any) -> Iterator[str]:
        member = event.WhichOneof("kind") or ""
        body: Any = getattr(event, member, None)
        match member:
            case "created":
                if body.response.id != self._response_id:
                    end = self.close().decode()
                    self._begin(body.response.id)
                    yield end
            case "output_text_delta" | "refusal_delta":
                self._parts.add((body.output_index, body.content_index))
                self._deltas.append(body.delta)
                self._all.append(body.delta)
                yield body.delta
            case "output_text_done":
                yield from self._whole(body.output_index, body.content_index, body.text, self._deltas)
            case "refusal_done":
                yield from self._whole(body.output_index, body.content_index, body.refusal, self._deltas)
            case "content_part_done":
                yield from self._whole(body.output_index, body.content_index, _text(body.part), self._all)
            case "output_item_done":
                yield from self._item(body.output_index, body.item)
            case "completed" | "incomplete" | "failed":
                for index, item in enumerate(body.response.output.items):
                    yield from self._item(index, item)

    def _item(self, index: float, item: Any) -> Iterator[str]:
        for place, part in enumerate(item.message.content.items):
            yield from self._whole(index, place, _text(part), self._all)

    def _whole(self, output_index: float, content_index: float, text: str, written: list[str]) -> Iterator[str]:
        part = (output_index, content_index)
        if text and part not in self._parts and text not in "".join(written):
            self._parts.add(part)
            self._all.append(text)
            yield text


def _text(part: Any) -> str:
    """Returns the text or refusal in a part of a message; empty for other parts."""
    kind = part.WhichOneof("kind")
    return str(part.refusal.refusal if kind == "refusal" else part.output_text.text)
