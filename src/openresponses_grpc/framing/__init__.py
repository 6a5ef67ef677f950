"""Streams of events as bytes, in chunks cut anywhere: NDJSON, SSE and length-delimited protobuf. Pure: no I/O.

A reader holds the bytes of one event at a time, and hands each event out as soon as its last byte is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from openresponses.v1.events_pb2 import OpenResponsesStreamEvent

from ..codec import Naming
from .interface import EventReader, EventWriter
from .ndjson import NDJSONReader, NDJSONWriter
from .protobuf import ProtobufReader, ProtobufWriter
from .sse import SSEReader, SSEWriter
from .transcode import transcode

__all__ = [
    "FORMATS",
    "EventReader",
    "EventWriter",
    "Format",
    "NDJSONReader",
    "NDJSONWriter",
    "ProtobufReader",
    "ProtobufWriter",
    "SSEReader",
    "SSEWriter",
    "read_events",
    "transcode",
]


class Format(NamedTuple):
    """A format of event streams: what makes its reader (naming, strict) and its writer (naming)."""

    reader: Callable[[Naming, bool], EventReader]
    writer: Callable[[Naming], EventWriter]


FORMATS: Final[Mapping[str, Format]] = {
    "ndjson": Format(NDJSONReader, NDJSONWriter),
    "sse": Format(SSEReader, SSEWriter),
    "protobuf": Format(lambda naming, strict: ProtobufReader(), lambda naming: ProtobufWriter()),
}


def read_events(reader: EventReader, chunks: Iterable[bytes]) -> Iterator[OpenResponsesStreamEvent]:
    """Yields the events of all chunks."""
    for chunk in chunks:
        yield from reader.feed(chunk)
    yield from reader.close()
