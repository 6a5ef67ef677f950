"""Finds a sequence number in a stream. Pure."""

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
    """The sequence number of a serialized event; None if it has none."""
    try:
        numbered = _decode(protobuf_to_json(event, naming="snake_case"))
    except (EventError, msgspec.DecodeError):
        return None
    number = numbered.sequenceNumber if numbered.sequence_number is None else numbered.sequence_number
    return number if isinstance(number, int | float) and not isinstance(number, bool) else None


class Search:
    """Finds where the events after a sequence number begin: behind the one that has it, else before the first greater.

    Events without a number go with the one that follows: a reader gets them rather than misses them. Where sequence
    numbers are offsets, which is usual, the search jumps to the event that must have the number, and looks whether it
    does.

    Args:
        number: the sequence number.

    Attributes:
        found: the offset of the first event wanted; None until it is found.
        next_offset: the offset to look at next.

    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._unnumbered: int | None = None  # the first event after the latest number
        self._resume: int | None = None  # where to look if the jump was wrong
        self._jumps = True
        self.found: int | None = None
        self.next_offset = 0

    @property
    def jumped(self) -> bool:
        """Whether `next_offset` is a jump."""
        return self._resume is not None

    def back(self) -> int:
        """Takes a jump back; returns the offset to look at instead."""
        assert self._resume is not None
        self.next_offset, self._resume = self._resume, None
        return self.next_offset

    def look(self, events: Sequence[bytes], first_offset: int) -> None:
        """Looks at the events from an offset on, which is `next_offset` or the oldest one that there is."""
        if self.jumped and sequence_number(events[0]) != self._number:
            self.back()
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
        if numbers_are_offsets and self._jumps and self._number > after:
            self.next_offset, self._resume = self._number, after
        self._jumps = False
