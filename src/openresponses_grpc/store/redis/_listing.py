"""Describes and lists the streams in Redis."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Final, NamedTuple

from .._errors import InvalidPageTokenError, StoreUnavailableError, StreamNotFoundError
from .._interface import Page, State, StreamInfo
from .._rules import not_found
from ._client import INFO, RedisClient, stream_keys
from ._view import parse_failure

SCANS: Final = 16
"""The maximum number of SCAN commands per page; each scans as many keys as the page may have streams."""


class Cursor(NamedTuple):
    """Where a page begins.

    Attributes:
        node: the node to scan; nodes are scanned in the order of their names. None after the last one.
        cursor: the cursor of SCAN on this node.
        ids: the ids found but not returned yet.

    """

    node: str | None
    cursor: int
    ids: list[str]

    def __str__(self) -> str:
        return urlsafe_b64encode(json.dumps(self).encode()).decode()

    @classmethod
    def parse(cls, token: str) -> Cursor:
        """Parses a page token; raises InvalidPageTokenError."""
        try:
            cursor = cls(*json.loads(urlsafe_b64decode(token)))
        except (TypeError, ValueError):
            raise _invalid() from None
        match cursor:
            case (str() | None, int(), [*ids]) if all(isinstance(stream_id, str) for stream_id in ids):
                return cursor
        raise _invalid()


async def describe(client: RedisClient, stream_id: str, abandon_after: float) -> StreamInfo:
    """Describes a stream; raises StreamNotFoundError."""
    found = await client.run(INFO, stream_keys(stream_id))
    if not found:
        raise not_found()
    epoch, first_offset, end, size, finished, reason, message, created_at, updated_at, now, alive, kept = found
    failure = parse_failure(reason, message)
    if finished:
        state = State.FAILED if failure else State.COMPLETE
    else:
        state = State.ABANDONED if alive / 1000 + abandon_after <= 0 else State.OPEN
    return StreamInfo(
        stream_id=stream_id,
        epoch=int(epoch),
        state=state,
        failure=failure,
        first_offset=first_offset,
        next_offset=end,
        event_bytes=size,
        created_at=created_at / 1000,
        updated_at=updated_at / 1000,
        expires_at=None if state is State.OPEN else (now + kept) / 1000,
    )


async def page(
    client: RedisClient, page_size: int, page_token: str, visible: Callable[[str], bool], abandon_after: float
) -> Page:
    """Returns a page of the streams, in no particular order."""
    nodes = client.nodes()
    if not nodes:
        raise StoreUnavailableError("Redis Cluster: no node has slots")
    node, cursor, found = Cursor.parse(page_token) if page_token else Cursor(min(nodes), 0, [])
    if node not in (*nodes, None):
        raise _invalid()
    ids = dict.fromkeys(filter(visible, found))
    scans = 0
    while node is not None and len(ids) < page_size and scans < SCANS:
        cursor, more = await client.scan(nodes[node], cursor, page_size)
        ids.update(dict.fromkeys(filter(visible, more)))
        scans += 1
        if cursor == 0:
            node = min((later for later in nodes if later > node), default=None)
    shown, left = [*ids][:page_size], [*ids][page_size:]
    infos = await asyncio.gather(
        *(describe(client, stream_id, abandon_after) for stream_id in shown), return_exceptions=True
    )
    streams: list[StreamInfo] = []
    for info in infos:
        if isinstance(info, StreamInfo):
            streams.append(info)
        elif not isinstance(info, StreamNotFoundError):
            raise info
    return Page(streams, "" if node is None and not left else str(Cursor(node, cursor, left)))


def _invalid() -> InvalidPageTokenError:
    return InvalidPageTokenError("the page token was not issued by this store, or its Redis node no longer exists")
