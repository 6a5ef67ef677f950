"""The checksum of a log. It distinguishes logs of the same epoch and length that hold different events. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

from ._scalars import SIZES


def checksum(events: Sequence[bytes], before: int = 0) -> int:
    """Returns the checksum of a log after some events.

    The checksum is the CRC-32 of all events of the log, each as its length, in a minimal varint, and its bytes. A CRC
    continues from the previous value, so that the cost of a batch does not depend on the length of the log.

    Args:
        events: the serialized events.
        before: checksum of the log before these events; 0 at offset 0.

    """
    if len(events) == 1:  # no copy: a single event may fill a message
        return crc32(events[0], crc32(SIZES[len(events[0])], before))
    parts = [b""] * (2 * len(events))
    parts[::2] = map(SIZES.__getitem__, map(len, events))
    parts[1::2] = events
    return crc32(b"".join(parts), before)
