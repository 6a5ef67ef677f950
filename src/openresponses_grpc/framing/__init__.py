"""Formats of event streams: NDJSON, SSE and length-delimited protobuf, in chunks of any size. Pure: no I/O.

A reader yields each event, serialized, as soon as its last byte arrives, and buffers at most one event. A writer does
the reverse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from ._detect import guess_format, is_enough
from ._interface import ErrorHandler, EventReader, EventWriter, JSONDecoder, JSONEncoder
from ._ndjson import NDJSONReader, NDJSONWriter
from ._protobuf import ProtobufReader, ProtobufWriter
from ._sse import SSEReader, SSEWriter
from ._terminal import TERMINAL_TYPES, is_terminal

__all__ = [
    "FORMATS",
    "TERMINAL_TYPES",
    "ErrorHandler",
    "EventReader",
    "EventWriter",
    "Format",
    "JSONDecoder",
    "JSONEncoder",
    "NDJSONReader",
    "NDJSONWriter",
    "ProtobufReader",
    "ProtobufWriter",
    "SSEReader",
    "SSEWriter",
    "guess_format",
    "is_enough",
    "is_terminal",
    "read_events",
]


class Format(NamedTuple):
    """A format of event streams: creates its reader and its writer from the codec."""

    reader: Callable[[JSONDecoder], EventReader]
    """Creates a reader."""
    writer: Callable[[JSONEncoder], EventWriter]
    """Creates a writer."""


FORMATS: Final[Mapping[str, Format]] = {
    "ndjson": Format(NDJSONReader, NDJSONWriter),
    "sse": Format(SSEReader, SSEWriter),
    "protobuf": Format(lambda decode: ProtobufReader(), lambda encode: ProtobufWriter()),
}
"""Formats by name."""


def read_events(reader: EventReader, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yields the events of an input.

    Args:
        reader: reader of the input's format.
        chunks: the input, in chunks of any size.

    Raises:
        EventError: the input is invalid.

    """
    for chunk in chunks:
        yield from reader.feed(chunk)
    yield from reader.close()
