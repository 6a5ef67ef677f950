"""Caches the last events of recently appended streams, so that subscribers at their ends do not read the file."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from .._segment import Piece, Segment

_TAIL_BYTES: Final = 1 << 20
"""The bytes of events of one stream beyond which the next piece replaces them."""

_EVENT_OVERHEAD: Final = 48


class _Cached:
    def __init__(self, piece: Piece) -> None:
        self.segment = Segment(piece.first_offset, piece.before)
        self.size = 0


class TailCache:
    """The last events of streams, without gaps, up to `max_bytes` in total."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._size = 0
        self._tails: OrderedDict[int, _Cached] = OrderedDict()  # the most recently appended one is the last

    def add(self, key: int, piece: Piece) -> None:
        """Adds events that were appended to a stream."""
        tail = self._tails.pop(key, None)
        if tail is not None:
            self._size -= tail.size
        if tail is None or tail.size > _TAIL_BYTES:
            tail = _Cached(piece)
        tail.segment.append(piece)
        tail.size += sum(map(len, piece.events)) + _EVENT_OVERHEAD * len(piece.events)
        self._tails[key] = tail
        self._size += tail.size
        while self._size > self._max_bytes:
            self._size -= self._tails.popitem(last=False)[1].size

    def find(self, key: int, offset: int) -> Segment | None:
        """Returns a segment with the stream's event at an offset; None if it is not cached."""
        tail = self._tails.get(key)
        return tail.segment if tail and tail.segment.first_offset <= offset < tail.segment.end else None
