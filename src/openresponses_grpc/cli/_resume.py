"""The events that `publish --resume` skips: those that the log has already."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..client import EventStreamClient
from ..codec._bridge import protobuf_to_json
from ..errors import EventError
from ..position import Position


class DifferentInputError(Exception):
    """The input differs from the events of the stream."""


def skip_logged(client: EventStreamClient, stream: str, end: Position, events: Iterator[bytes]) -> None:
    """Takes from the input the events that the log has, and compares each with the log, as JSON.

    Args:
        client: the client.
        stream: the stream's id.
        end: the end of its log.
        events: the input, which may end before.

    Raises:
        DifferentInputError: an event differs.

    """
    if not end.offset:
        return
    with client.subscribe_serialized(stream, position=end._replace(offset=0), must_exist=True) as log:
        for offset, event in zip(range(end.offset), events, strict=False):
            if not _same(event, next(log)):
                raise DifferentInputError(f"the input has another event at offset {offset} than the stream")


def _same(event: bytes, logged: bytes) -> bool:
    # Another version of the codec may have made the log's bytes.
    try:
        return event == logged or _canonical(event) == _canonical(logged)
    except EventError:
        return False  # the log's event has no JSON in this version


def _canonical(event: bytes) -> str:
    """The JSON in one form, with numbers as doubles. Values of Python would not do: True equals 1."""
    return json.dumps(json.loads(protobuf_to_json(event), parse_int=float), sort_keys=True)
