"""The events that `publish --resume` skips: those that the log has already."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..bridge import protobuf_to_json
from ..client import SyncEventStreamClient
from ..position import Position


class DifferentInputError(Exception):
    """The input is not the one that the stream began with."""


def skip_logged(client: SyncEventStreamClient, stream: str, end: Position, events: Iterator[bytes]) -> bool:
    """Takes the events from the input that the log has, and compares each with it, as JSON.

    Args:
        client: the client.
        stream: the stream's id.
        end: the end of its log.
        events: the input.

    Returns:
        Whether the input has all of them; False if it ended before.

    Raises:
        DifferentInputError: an event is another one.

    """
    if not end.offset:
        return True
    with client.subscribe_serialized(stream, position=end._replace(offset=0), must_exist=True) as log:
        for offset in range(end.offset):
            event, logged = next(events, None), next(log)
            if event is None:
                return False
            if not _same(event, logged):
                raise DifferentInputError(f"the event at offset {offset} is not that of the input")
    return True


def _same(event: bytes, logged: bytes) -> bool:
    # Another version of the codec may have made the log's bytes.
    return event == logged or json.loads(protobuf_to_json(event)) == json.loads(protobuf_to_json(logged))
