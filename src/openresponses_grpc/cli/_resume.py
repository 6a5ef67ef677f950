"""Skips the input events that the log already contains, for `publish --resume`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..client import EventStreamClient
from ..codec._bridge import protobuf_to_json
from ..errors import EventError
from ..position import Position


class InputMismatchError(Exception):
    """The input differs from the events of the stream."""


def skip_stored(client: EventStreamClient, stream: str, end: Position, events: Iterator[bytes]) -> None:
    """Consumes the input events that the log already contains. Compares each with the log, as JSON.

    Args:
        client: client of the server.
        stream: id of the stream.
        end: end of the log.
        events: the input, which may end earlier.

    Raises:
        InputMismatchError: an event differs.

    """
    if not end.offset:
        return
    with client.subscribe_serialized(stream, position=end._replace(offset=0), must_exist=True) as log:
        for offset, event in zip(range(end.offset), events, strict=False):
            if not _equal(event, next(log)):
                raise InputMismatchError(f"the input differs from stream {stream!r} at offset {offset}")


def _equal(event: bytes, stored: bytes) -> bool:
    # Another version of the codec may have serialized the stored event differently.
    try:
        return event == stored or _canonical(event) == _canonical(stored)
    except EventError:
        return False  # this version cannot write the stored event as JSON


def _canonical(event: bytes) -> str:
    """Returns the event's JSON in canonical form, with numbers as doubles. Python values would equate True and 1."""
    return json.dumps(json.loads(protobuf_to_json(event), parse_int=float), sort_keys=True)
