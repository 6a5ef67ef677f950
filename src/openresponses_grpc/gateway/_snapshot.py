"""The current state of a response: the one in the last lifecycle event of the log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import grpc
import msgspec

from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc.v1.stream_service_pb2 import StreamInfo, StreamState

from ..client import AsyncEventStreamClient, StreamError, StreamFailedError
from ..client._errors import location
from ..codec._bridge import protobuf_to_json
from ..codec._encode import EXTRA_TAG
from ..codec._schema import message_of
from ..errors import EventError
from ..position import Position

LIFECYCLE: Final = frozenset(
    f"response.{name}" for name in ("created", "queued", "in_progress", "completed", "failed", "incomplete")
)
"""Types of the lifecycle events, which contain the response."""

_EVENT: Final = message_of(OpenResponsesStreamEvent.DESCRIPTOR)
_CANDIDATES: Final = (EXTRA_TAG, *(_EVENT.by_type[name].tag for name in sorted(LIFECYCLE)))
"""First bytes of serialized events that may be lifecycle events."""

_ENDED: Final = ("completed", "failed", "incomplete", "cancelled")
_TAIL: Final = 64
"""Number of events to read from the end of a log first. They nearly always contain the last lifecycle event."""

_QUIET_SECONDS: Final = 1.0
"""Seconds without an event after which the log counts as read, for a token that may not look up its end."""


class _Lifecycle(msgspec.Struct):
    type: str
    response: dict[str, msgspec.Raw]


_decode: Final = msgspec.json.Decoder(_Lifecycle).decode


_TIMEOUT: Final = 30.0
"""Time limit for reading a log, in seconds."""


async def snapshot(client: AsyncEventStreamClient, stream_id: str) -> bytes:
    """Returns the current state of a response, as JSON.

    If the stream ended in failure before the response ended, the status is `failed` and the error is the failure.

    Raises:
        StreamError: the stream cannot be read, reading takes too long, or the log contains no response.

    """
    try:
        async with asyncio.timeout(_TIMEOUT):
            while True:
                try:
                    return await _snapshot(client, stream_id)
                except StreamError as error:
                    if error.reason != "EPOCH_MISMATCH":
                        raise
                    # The stream was deleted and created again in the meantime: start over.
    except TimeoutError:
        details = f"the log could not be read within {_TIMEOUT:g} seconds"
        raise StreamError(
            grpc.StatusCode.DEADLINE_EXCEEDED,
            f"{location(stream_id, '')}: {details}",
            stream_id=stream_id,
            details=details,
        ) from None


async def _snapshot(client: AsyncEventStreamClient, stream_id: str) -> bytes:
    try:
        info = await client.get_stream(stream_id)
    except StreamError as error:
        if error.code is not grpc.StatusCode.PERMISSION_DENIED:
            raise
        info = None  # the token may subscribe but not inspect
    response = None
    try:
        for start in _starts(info):
            async for event in _events(client, stream_id, start, info):
                response = _response(event) or response
            if response:
                break
    except StreamFailedError as error:
        failure: tuple[str, str] | None = (error.reason, error.message)
    else:
        failed = info and info.state == StreamState.STREAM_STATE_FAILED
        failure = (info.failure.reason, info.failure.message) if info and failed else None
    if response is None:
        details = f"stream {stream_id!r} has no response yet: its log contains none of {', '.join(sorted(LIFECYCLE))}"
        raise StreamError(
            grpc.StatusCode.NOT_FOUND,
            f"{location(stream_id, '')}: {details}",
            reason="RESPONSE_NOT_FOUND",
            stream_id=stream_id,
            details=details,
        )
    if failure and msgspec.json.decode(response.get("status", b"null")) not in _ENDED:
        error_object = {"code": failure[0], "message": failure[1] or failure[0]}
        response |= {"status": msgspec.Raw(b'"failed"'), "error": msgspec.Raw(msgspec.json.encode(error_object))}
    return msgspec.json.encode(response)


def _starts(info: StreamInfo | None) -> list[int]:
    """Returns the offsets to try in turn, until a response is found."""
    if info is None:
        return [0]
    return sorted({max(info.first_offset, info.next_offset - _TAIL), info.first_offset}, reverse=True)


async def _events(
    client: AsyncEventStreamClient, stream_id: str, start: int, info: StreamInfo | None
) -> AsyncIterator[bytes]:
    """Yields the events from an offset to the current end of the log."""
    end = info.next_offset if info else None
    if start == end:
        return
    # The epoch detects that the stream was deleted and created again since `get_stream`.
    position = Position(info.epoch, start) if info else None
    async with client.subscribe_serialized(stream_id, position=position, must_exist=True) as subscription:
        while True:
            try:
                async with asyncio.timeout(None if info else _QUIET_SECONDS):
                    batch = await subscription.batch()
            except TimeoutError:
                return
            except StreamError as error:
                if error.reason == "STREAM_ABANDONED" and not isinstance(error, StreamFailedError):
                    return  # the log ends here, and its last response counts
                raise
            for event in batch:
                yield event
            position = subscription.position
            if not batch or (end is not None and position and position.offset >= end):
                return


def _response(event: bytes) -> dict[str, Any] | None:
    """Returns the response in an event, or None."""
    if not event.startswith(_CANDIDATES):
        return None
    try:
        lifecycle = _decode(protobuf_to_json(event, naming="snake_case"))
    except (EventError, msgspec.DecodeError):
        return None
    return lifecycle.response if lifecycle.type in LIFECYCLE else None
