"""Builds responses from the store's types. Pure: no I/O."""

from __future__ import annotations

from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from openresponses_grpc.v1.stream_service_pb2 import PublishResponse, StreamFailure, StreamInfo, StreamState

from .. import store
from ..codec import _raw_messages as raw_messages


def publish(end: store.End) -> PublishResponse:
    """Builds the acknowledgement of an append."""
    return PublishResponse(
        next_offset=end.next_offset,
        epoch=end.epoch,
        publisher=end.publisher,
        end_of_stream=end.end_of_stream,
        failure=_failure(end.failure),
        checked_offset=end.next_offset,
        checksum=end.checksum,
    )


def subscribe(batch: store.Batch) -> Any:
    """Builds the next response to a subscriber, a `raw_messages.SubscribeResponse`."""
    return raw_messages.SubscribeResponse(
        first_offset=batch.first_offset,
        events=batch.events,
        end_of_stream=batch.end_of_stream,
        epoch=batch.epoch,
        failure=batch.failure
        and raw_messages.StreamFailure(reason=batch.failure.reason, message=batch.failure.message),
        checked_offset=None if batch.checksum is None else batch.first_offset + len(batch.events),
        checksum=batch.checksum,
    )


def stream_info(info: store.StreamInfo) -> StreamInfo:
    """Builds the description of a stream."""
    return StreamInfo(
        stream_id=info.stream_id,
        epoch=info.epoch,
        state=StreamState.Value(f"STREAM_STATE_{info.state.name}"),
        failure=_failure(info.failure),
        first_offset=info.first_offset,
        next_offset=info.next_offset,
        event_bytes=info.event_bytes,
        create_time=_time(info.created_at),
        update_time=_time(info.updated_at),
        expire_time=None if info.expires_at is None else _time(info.expires_at),
    )


def _failure(failure: store.Failure | None) -> StreamFailure | None:
    return failure and StreamFailure(reason=failure.reason, message=failure.message)


def _time(seconds: float) -> Timestamp:
    time = Timestamp()
    time.FromMicroseconds(int(seconds * 1_000_000))
    return time
