"""The response in its current state: that of the last event of the log that has one."""

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
"""The types of the events that have the response."""

_EVENT: Final = message_of(OpenResponsesStreamEvent.DESCRIPTOR)
_CANDIDATES: Final = (EXTRA_TAG, *(_EVENT.by_type[name].tag for name in sorted(LIFECYCLE)))
"""What the bytes of an event that may be one of `LIFECYCLE` begin with."""

_ENDED: Final = ("completed", "failed", "incomplete", "cancelled")
_TAIL: Final = 64
"""The events at the end of a log in which the last lifecycle event of a response that has ended nearly always is."""

_QUIET_SECONDS: Final = 1.0
"""The time without an event after which a log is at its end, for a token that may not ask where the end is."""


class _Lifecycle(msgspec.Struct):
    type: str
    response: dict[str, msgspec.Raw]


_decode: Final = msgspec.json.Decoder(_Lifecycle).decode


_SECONDS: Final = 30.0
"""The time in which a log must be read."""


async def snapshot(client: AsyncEventStreamClient, stream_id: str) -> bytes:
    """The JSON of the response in its current state.

    The status of a response whose stream ended in failure is `failed`, and its error the failure.

    Raises:
        StreamError: the stream cannot be read, not in time either, or has no response.

    """
    try:
        async with asyncio.timeout(_SECONDS):
            while True:
                try:
                    return await _snapshot(client, stream_id)
                except StreamError as error:
                    if error.reason != "EPOCH_MISMATCH":
                        raise  # otherwise the stream was created again meanwhile
    except TimeoutError:
        details = f"the log could not be read within {_SECONDS:g} seconds"
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
        info = None  # the token may subscribe, but not inspect
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
        details = f"stream {stream_id!r} has no response yet: its log has none of {', '.join(sorted(LIFECYCLE))}"
        raise StreamError(
            grpc.StatusCode.NOT_FOUND,
            f"{location(stream_id, '')}: {details}",
            reason="RESPONSE_NOT_FOUND",
            stream_id=stream_id,
            details=details,
        )
    if failure and msgspec.json.decode(response.get("status", b"null")) not in _ENDED:
        told = {"code": failure[0], "message": failure[1] or failure[0]}
        response |= {"status": msgspec.Raw(b'"failed"'), "error": msgspec.Raw(msgspec.json.encode(told))}
    return msgspec.json.encode(response)


def _starts(info: StreamInfo | None) -> list[int]:
    """The offsets to read from, one after the other, until there is a response."""
    if info is None:
        return [0]
    return sorted({max(info.first_offset, info.next_offset - _TAIL), info.first_offset}, reverse=True)


async def _events(
    client: AsyncEventStreamClient, stream_id: str, start: int, info: StreamInfo | None
) -> AsyncIterator[bytes]:
    """Yields the events from an offset to the end of the log as it is now."""
    end = info.next_offset if info else None
    if start == end:
        return
    # An offset alone would be one of whatever stream has the id now.
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
                    return  # it ends here, and its response is what it was
                raise
            for event in batch:
                yield event
            position = subscription.position
            if not batch or (end is not None and position and position.offset >= end):
                return


def _response(event: bytes) -> dict[str, Any] | None:
    """The response in an event; None if it has none."""
    if not event.startswith(_CANDIDATES):
        return None
    try:
        lifecycle = _decode(protobuf_to_json(event, naming="snake_case"))
    except (EventError, msgspec.DecodeError):
        return None
    return lifecycle.response if lifecycle.type in LIFECYCLE else None
