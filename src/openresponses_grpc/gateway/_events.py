"""Serialized events as server-sent events with their positions. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ..codec._bridge import protobuf_to_json
from ..errors import EventError
from ..framing._sse import event_line
from ..position import Position
from ._errors import EventFault

CHUNK_BYTES: Final = 64 << 10
"""Bytes after which a chunk ends: what is written to a reader who does not read is bounded by this and one event."""


def server_sent_events(events: Sequence[bytes], after: Position) -> Iterator[list[bytes]]:
    """Yields the lines of each event, as many events at a time as fit into a chunk.

    The `id` of an event is the position behind it.

    Args:
        events: serialized events that follow one another in their log.
        after: the position behind the last of them.

    Raises:
        EventFault: an event has no JSON. The events before it have been yielded.

    """
    first = after.offset - len(events)
    chunk: list[bytes] = []
    size = 0
    for index, (event, id) in enumerate(zip(events, after.texts(range(first + 1, after.offset + 1)), strict=True)):
        try:
            data = protobuf_to_json(event, naming="snake_case")
        except EventError as error:
            yield chunk
            raise EventFault(first + index, error) from None
        chunk.append(b"id: %b\n%bdata: %b\n\n" % (id.encode(), event_line(event, data), data))
        size += len(chunk[-1])
        if size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
