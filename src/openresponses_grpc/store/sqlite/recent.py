"""The last events of the streams that were appended to last: subscribers at their ends need no file."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from ..rules import take

_TAIL_BYTES: Final = 1 << 20
"""Bytes of events of one stream beyond which only those that came last are kept."""

_EVENT_OVERHEAD: Final = 48


class _Tail:
    def __init__(self, first_offset: int) -> None:
        self.first_offset = first_offset
        self.events: list[bytes] = []
        self.size = 0


class Recent:
    """Events in memory, up to `max_bytes`; of each stream its last ones, without gaps."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._size = 0
        self._tails: OrderedDict[int, _Tail] = OrderedDict()  # the one appended to last is the last

    def add(self, key: int, first_offset: int, events: Sequence[bytes]) -> None:
        """Adds events that were stored at the end of a stream."""
        tail = self._tails.pop(key, None)
        if tail is not None:
            self._size -= tail.size
        if tail is None or tail.size > _TAIL_BYTES:
            tail = _Tail(first_offset)
        tail.events += events
        tail.size += sum(map(len, events)) + _EVENT_OVERHEAD * len(events)
        self._tails[key] = tail
        self._size += tail.size
        while self._size > self._max_bytes:
            self._size -= self._tails.popitem(last=False)[1].size

    def take(self, key: int, start_offset: int, max_bytes: int) -> Sequence[bytes]:
        """The stream's events from an offset on, at least one and up to `max_bytes`; none where they are not here."""
        tail = self._tails.get(key)
        if tail is None or start_offset < tail.first_offset:
            return ()
        return take(tail.events, start_offset - tail.first_offset, max_bytes)
