"""Parses serialized events, with this library's errors. Pure: no I/O."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from ..errors import InvalidProtobufError


def parse_event(data: bytes) -> OpenResponsesStreamEvent:
    """Parses a serialized event; raises InvalidProtobufError."""
    try:
        return OpenResponsesStreamEvent.FromString(data)
    except DecodeError as error:
        raise InvalidProtobufError("$", f"not an OpenResponsesStreamEvent: {error}") from None


def as_bytes(data: object) -> bytes:
    """Converts a bytes-like object to bytes; raises TypeError for other objects."""
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data)
    hint = ": encode it as UTF-8, or open the file in binary mode" if isinstance(data, str) else ""
    raise TypeError(f"expected bytes, got {type(data).__name__}{hint}")
