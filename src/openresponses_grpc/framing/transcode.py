"""From one format to another, a chunk at a time.

NDJSON to protobuf and back is what people convert in bulk. There the usual events go through without an object for each
on the way; whatever is unusual in a chunk sends it the way of all others, which also finds what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec
from google.protobuf.message import DecodeError

from openresponses.v1.stream_service_pb2 import SubscribeResponse

from .. import wire
from ..codec import Contract
from ..errors import IncompleteEventError
from .interface import EventReader, EventWriter
from .ndjson import NDJSONReader, NDJSONWriter, encode_lines
from .protobuf import ProtobufReader, ProtobufWriter

_NEGATIVE: Final = re.compile(rb":\s*-")


def transcode(reader: EventReader, writer: EventWriter, chunk: bytes) -> Iterator[bytes]:
    """Yields the events that end in a chunk as the writer writes them: `writer.write(reader.feed(chunk))`, but faster.

    Raises:
        EventError: bytes that are no event, or an event that cannot be written; what comes before it is yielded first.
    """
    match reader, writer:
        case NDJSONReader(), ProtobufWriter():
            block = reader.take(chunk)
            messages = _serialize(block, reader.contract)
            if messages is None:
                yield from writer.write(reader.read(block))
            else:
                reader.skip(len(messages))
                yield writer.frame(messages)
        case ProtobufReader(), NDJSONWriter():
            taken = reader.take(chunk)
            lines = _print(taken, writer.contract)
            if lines is None:
                yield from writer.write(reader.read(taken))
            else:
                reader.skip(len(taken))
                yield lines
                yield from writer.write(reader.read([]))
        case _:
            yield from writer.write(reader.feed(chunk))


def _serialize(block: bytes, contract: Contract) -> list[bytes] | None:
    """The events of lines, serialized; None where there is anything but modelled events, one on each line."""
    # A zero may be the integer -0, which takes more than a look at the number.
    if b"-" in block and _NEGATIVE.search(block):
        return None
    try:
        structs = contract.decode_lines(block)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    # The parser cares for white space, not for lines. There is one event on each if all line breaks are between events.
    between = block.count(b"}\n{") == len(structs) - 1 and block.startswith(b"{") and block.endswith(b"}\n")
    if not between or block.count(b"\n") != len(structs):
        return None
    batch = SubscribeResponse()
    new, to_event = batch.events.add, contract.to_event
    for struct in structs:
        to_event[type(struct)](struct, b"", new)
    return list(wire.SubscribeResponse.FromString(batch.SerializeToString()).events)


def _print(messages: list[bytes], contract: Contract) -> bytes | None:
    """The lines of serialized events; None where one is anything but a modelled event, and nothing beside it."""
    lines = []
    by_tag = contract.by_tag
    try:
        for message in messages:
            # What begins with the tag of an event and ends with that event's own message holds nothing else.
            if (codec := by_tag.get(message[0])) is None:
                return None
            parse, to_struct = codec
            if message[1] == len(message) - 2 < 0x80:
                lines.append(to_struct(parse(message[2:])))
            elif message[2] < 0x80 <= message[1] and (message[1] & 0x7F | message[2] << 7) == len(message) - 3:
                lines.append(to_struct(parse(message[3:])))
            else:
                return None
    except (DecodeError, IncompleteEventError, IndexError):
        return None
    return encode_lines(lines)
