"""From one format to another, a chunk at a time.

NDJSON to protobuf and back is what people convert in bulk. There the usual events go through many at once; whatever is
unusual in a chunk sends it the way of all others.
"""

from __future__ import annotations

from collections.abc import Iterator

from .bulk import frame_lines, print_lines
from .interface import EventReader, EventWriter
from .ndjson import NDJSONReader, NDJSONWriter
from .protobuf import ProtobufReader, ProtobufWriter


def transcode(reader: EventReader, writer: EventWriter, chunk: bytes) -> Iterator[bytes]:
    """Yields the events that end in a chunk as the writer writes them: `writer.write(reader.feed(chunk))`, but faster.

    Raises:
        EventError: bytes that are no event, or an event that cannot be written; what comes before it is yielded first.
    """
    match reader, writer:
        case NDJSONReader(), ProtobufWriter():
            block = reader.take(chunk)
            framed = frame_lines(block, reader.contract)
            if framed is None:
                yield from writer.write(reader.read(block))
            else:
                frames, count = framed
                reader.skip(count)
                yield frames
        case ProtobufReader(), NDJSONWriter():
            data = reader.take(chunk)
            if printed := print_lines(data, writer.contract):
                lines, count, size = printed
                reader.skip(count, size)
                yield lines
                data = data[size:]
            yield from writer.write(reader.read(data))
        case _:
            yield from writer.write(reader.feed(chunk))
