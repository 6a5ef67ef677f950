"""Many events at once, from JSON lines to serialized messages and back, without a message for each on the way.

Into protobuf, an event's bytes are put together out of its values. Back, the events of one type are handled together: a
message that has each arm of `OpenResponsesStreamEvent.event` as a list is parsed in one call, and its fields are read
column by column. Whatever is not usual gives None: then the events have to go one by one, which also finds what is
wrong with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import itemgetter
from typing import Any, Final

import msgspec
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from openresponses.v1.events_pb2 import OpenResponsesStreamEvent

from ..codec import CONTRACTS, EVENT_ONEOF, Contract, EventCodec
from ..ecmascript import JSON_NUMBERS
from ..errors import IncompleteEventError
from .frames import compile_frame, event_tag

encode_lines: Final = msgspec.json.Encoder().encode_lines

_NEGATIVE: Final = re.compile(rb":\s*-")
_first_byte: Final = itemgetter(0)


def frame_lines(block: bytes, contract: Contract) -> tuple[bytes, int] | None:
    """The events of JSON lines, which end with LF: each event after its length, and how many there are.

    None where a line is anything but a modelled event.
    """
    # A zero may be the integer -0, which takes more than a look at the number.
    if b"-" in block and _NEGATIVE.search(block):
        return None
    try:
        structs = list(map(contract.decode, block.split(b"\n")[:-1]))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    frame = {struct: _FRAMES[codec.arm] for struct, codec in contract.by_struct.items()}
    return b"".join([frame[type(struct)](struct) for struct in structs]), len(structs)


def print_lines(data: bytes, contract: Contract) -> tuple[bytes, int, int] | None:
    """The JSON lines of the serialized events, each after its length, that `data` begins with.

    Returns:
        The lines, how many events there are, and how many bytes they have in `data`. None where there are none, or one
        is anything but a modelled event with nothing beside it.

    """
    messages = []
    at, size = 0, len(data)
    try:
        while at < size:
            start, length = at + 1, data[at]
            if length > 0x7F:
                if start == size or data[start] > 0x7F:
                    break
                start, length = at + 2, length & 0x7F | data[start] << 7
            stop = start + length
            if stop > size:
                break
            # What begins with the tag of an event and ends with that event's own message holds nothing else.
            own = data[start + 1]
            if (own != length - 2 or own > 0x7F) and (
                own < 0x80 or data[start + 2] > 0x7F or (own & 0x7F | data[start + 2] << 7) != length - 3
            ):
                return None
            messages.append(data[start:stop])
            at = stop
        tags = list(map(_first_byte, messages))
        joined = b"".join(messages)
        events = _Events.FromString(joined)
        # What keeps its size when it is serialized again has no field twice: a column with as many values as there are
        # events has one of each.
        if events.ByteSize() != len(joined):
            return None
        columns = _Columns.FromString(joined)
        structs = {
            event_tag(codec): _structs(codec, getattr(columns, codec.arm), len(getattr(events, codec.arm)))
            for codec in contract.by_type.values()
        }
        lines = encode_lines(list(map(next, map(structs.__getitem__, tags))))
    except (DecodeError, IncompleteEventError, LookupError, ValueError):
        return None
    return (lines, len(messages), at) if messages else None


def _structs(codec: EventCodec, columns: Any, count: int) -> Iterator[msgspec.Struct]:
    """What `codec.to_struct` makes of each of `count` messages, whose fields are given as columns."""
    values = []
    for _, _, field, kind in codec.properties:
        column = getattr(columns, field)[:]
        if len(column) != count:
            codec.missing(field)
        values.append(map(JSON_NUMBERS.__getitem__, column) if kind.python_type is float else column)
    return map(codec.struct, *values) if values else (codec.struct() for _ in range(count))


def _events_twin(label: FieldDescriptorProto.Label.ValueType, *, columns: bool) -> Any:
    """A message with the arms of `OpenResponsesStreamEvent.event` as fields of their own, with a label.

    With `columns`, the fields of the events' messages are lists: messages that come one after the other are one then.
    """
    file = FileDescriptorProto()
    OpenResponsesStreamEvent.DESCRIPTOR.file.CopyToProto(file)
    del file.dependency[:]
    if columns:
        for message in file.message_type:
            del message.oneof_decl[:]
            for field in message.field:
                field.label = FieldDescriptorProto.LABEL_REPEATED
                field.ClearField("proto3_optional")
                field.ClearField("oneof_index")
    twin = file.message_type.add(name="Events")
    for arm in OpenResponsesStreamEvent.DESCRIPTOR.oneofs_by_name[EVENT_ONEOF].fields:
        assert arm.message_type
        type_name = f".{arm.message_type.full_name}"
        kind = FieldDescriptorProto.TYPE_MESSAGE
        twin.field.add(name=arm.name, number=arm.number, label=label, type=kind, type_name=type_name)
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(f"{file.package}.{twin.name}"))


_FRAMES: Final = {codec.arm: compile_frame(codec) for codec in CONTRACTS["camelCase"].by_type.values()}
"""By the arm of an event: a struct has the same fields in every naming."""

_Events = _events_twin(FieldDescriptorProto.LABEL_REPEATED, columns=False)
_Columns = _events_twin(FieldDescriptorProto.LABEL_OPTIONAL, columns=True)
