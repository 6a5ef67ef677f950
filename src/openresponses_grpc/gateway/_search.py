"""Finds a sequence number in a stream. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from ..codec._bridge import protobuf_to_json
from ..errors import EventError


class _Numbered(msgspec.Struct):
    sequence_number: Any = None
    sequenceNumber: Any = None  # noqa: N815


_decode: Final = msgspec.json.Decoder(_Numbered).decode


def sequence_number(event: bytes) -> float | None:
    """Returns the sequence number of a serialized event, or None."""
    try:
        numbered = _decode(protobuf_to_json(event, naming="snake_case"))
    except (EventError, msgspec.DecodeError):
        return None
    number = numbered.sequenceNumber if numbered.sequence_number is None else numbered.sequence_number
    return number if isinstance(number, int | float) and not isinstance(number, bool) else None


class Search:
    """Finds the first event after a sequence number.

    It is the event after the one with the number or, if no event has it, the first event with a higher number. Events
    without a number belong to the next numbered event: a reader may get such an event twice, but never misses one.

    If the sequence numbers so far equal the offsets, as usual, the search jumps to the offset of the number, and falls
    back if the event there has another number.

    Args:
        number: the sequence number.

    Attributes:
        found: offset of the first event after the number; None until it is found.
        next_offset: offset of the next events to scan.

    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._unnumbered: int | None = None  # offset of the first event without a number since the last numbered one
        self._resume: int | None = None  # offset to fall back to if the jump was wrong
        self._may_jump = True
        self.found: int | None = None
        self.next_offset = 0

    @property
    def jumped(self) -> bool:
        """Whether `next_offset` is a jump."""
        return self._resume is not None

    def undo_jump(self) -> int:
        """Undoes a jump; returns the offset to continue at."""
        assert self._resume is not None
        self.next_offset, self._resume = self._resume, None
        return self.next_offset

    def scan(self, events: Sequence[bytes], first_offset: int) -> None:
        """Scans events for the number.

        Args:
            events: consecutive serialized events.
            first_offset: offset of the first one: `next_offset`, or the oldest offset that is still available.

        """
        if self.jumped and sequence_number(events[0]) != self._number:
            self.undo_jump()
            return
        numbers_are_offsets = True
        for offset, event in enumerate(events, first_offset):
            number = sequence_number(event)
            numbers_are_offsets = numbers_are_offsets and number == offset
            if number is None:
                self._unnumbered = offset if self._unnumbered is None else self._unnumbered
                continue
            if number >= self._number:
                first = offset if self._unnumbered is None else self._unnumbered
                self.found = offset + 1 if number == self._number else first
                return
            self._unnumbered = None
        after = first_offset + len(events)
        self.next_offset = after
        if numbers_are_offsets and self._may_jump and self._number > after:
            self.next_offset, self._resume = self._number, after
        self._may_jump = False
