"""Converts serialized events to server-sent events with their positions. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ..codec._bridge import protobuf_to_json
from ..errors import EventError
from ..framing._sse import event_line
from ..position import Position
from ._errors import StoredEventError

CHUNK_BYTES: Final = 64 << 10
"""Size of a chunk in bytes. At most one event exceeds it, which bounds what is buffered for a slow reader."""


def server_sent_events(events: Sequence[bytes], after: Position) -> Iterator[list[bytes]]:
    """Yields chunks of server-sent events. The `id` of an event is the position after it.

    Args:
        events: consecutive serialized events of a log.
        after: position after the last one.

    Yields:
        The text of each event of a chunk.

    Raises:
        StoredEventError: an event cannot be written as JSON. The events before it have been yielded.

    """
    first = after.offset - len(events)
    chunk: list[bytes] = []
    size = 0
    for index, (event, id) in enumerate(zip(events, after.texts(range(first + 1, after.offset + 1)), strict=True)):
        try:
            data = protobuf_to_json(event, naming="snake_case")
        except EventError as error:
            yield chunk
            raise StoredEventError(first + index, error) from None
        chunk.append(b"id: %b\n%bdata: %b\n\n" % (id.encode(), event_line(event, data), data))
        size += len(chunk[-1])
        if size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
