"""The last events of the streams that were appended to last: subscribers at their ends need no file."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from .._segment import Piece, Segment

_TAIL_BYTES: Final = 1 << 20
"""Bytes of events of one stream; when it has more, the next piece replaces them."""

_EVENT_OVERHEAD: Final = 48


class _Cached:
    def __init__(self, piece: Piece) -> None:
        self.segment = Segment(piece.first_offset, piece.before)
        self.size = 0


class TailCache:
    """Events in memory, up to `max_bytes`; of each stream its last ones, without gaps."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._size = 0
        self._tails: OrderedDict[int, _Cached] = OrderedDict()  # the one appended to last is the last

    def add(self, key: int, piece: Piece) -> None:
        """Adds events that were stored at the end of a stream."""
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
        """A segment that has the stream's event at an offset; None where it is not in memory."""
        tail = self._tails.get(key)
        return tail.segment if tail and tail.segment.first_offset <= offset < tail.segment.end else None
