"""The checksum of a log: it tells two logs apart that have the same epoch and the same length. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

from ._scalars import SIZES


def checksum(events: Sequence[bytes], before: int = 0) -> int:
    """The checksum of a log after some events.

    It is the CRC-32 of all events of the log, each as its length, a minimal varint, and its bytes. A CRC continues
    from its own value, so a batch costs one call, however long the log is.

    Args:
        events: the serialized events.
        before: the checksum of the log before these events; 0 at offset 0.

    """
    if len(events) == 1:  # it may be as large as a message, and is not copied
        return crc32(events[0], crc32(SIZES[len(events[0])], before))
    parts = [b""] * (2 * len(events))
    parts[::2] = map(SIZES.__getitem__, map(len, events))
    parts[1::2] = events
    return crc32(b"".join(parts), before)
