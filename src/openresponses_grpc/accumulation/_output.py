"""Accumulates the output items of a response."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from openresponses_grpc.v1.items_pb2 import ResponsesOutputItem

from ._item import GrowingItem, index_of


class GrowingOutput:
    """Output items by place: the `output_index` of their events. Places may have gaps.

    Some APIs send a wrong index or none, others a new id with each event. So a known id takes precedence, and the index
    decides only if the id is unknown.
    """

    def __init__(self, items: Iterable[ResponsesOutputItem] = ()) -> None:
        self._items = {float(place): GrowingItem(item) for place, item in enumerate(items)}
        self._places = {item.id: place for place, item in self._items.items() if item.id}

    def __bool__(self) -> bool:
        return bool(self._items)

    def built(self) -> list[ResponsesOutputItem]:
        """Returns copies of the items in their current state, in order."""
        return [self._items[place].built() for place in sorted(self._items)]

    def keep_announced(self) -> None:
        """Drops the items of which only parts have arrived."""
        self._items = {place: item for place, item in self._items.items() if item.announced}

    def set(self, event: Any, *, done: bool) -> None:
        """Adds an item, or replaces it with the complete item."""
        new, index = GrowingItem(event.item, done=done), index_of(event, "output_index")
        place = self._place(index, new.id) if done or index is None else index
        old = self._items.get(place)
        nameless = index is None and not new.id
        if old and (old.done or not done) and (nameless or old.id != new.id):
            place, old = max(self._items) + 1, None  # another item has this place
        if new.id:
            self._places[new.id] = place
        if old and not done:
            old.announce(new)
        else:
            self._items[place] = new

    def find(self, event: Any, kind: str) -> GrowingItem | None:
        """Returns the item that an event adds to, creating it if needed; None if it is complete or of another kind."""
        place = self._place(index_of(event, "output_index"), event.item_id)
        if place not in self._items:
            new = ResponsesOutputItem()
            getattr(new, kind).SetInParent()
            if event.item_id:
                getattr(new, kind).id = event.item_id
                self._places[event.item_id] = place
            self._items[place] = GrowingItem(new, announced=False)
        item = self._items[place]
        return item if item.kind == kind and not item.done else None

    def _place(self, index: float | None, id: str) -> float:
        here = None if index is None else self._items.get(index)
        if id in self._places and (here is None or here.id != id):
            return self._places[id]
        return max(self._items, default=0.0) if index is None else index
