"""Many events at once, from JSON lines to serialized messages and back, without an object for each on the way.

Events of one type are handled together: a message that has each arm of `OpenResponsesStreamEvent.event` as a list is
parsed or serialized in one call, and its fields are read column by column. Whatever is not usual gives None: then the
events have to go one by one, which also finds what is wrong with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from operator import call
from typing import Any, Final

import msgspec
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from openresponses.v1.events_pb2 import OpenResponsesStreamEvent

from ..codec import EVENT_ONEOF, Contract, EventCodec
from ..ecmascript import WHOLE_NUMBERS
from ..errors import IncompleteEventError
from .varint import VARINTS

encode_lines: Final = msgspec.json.Encoder().encode_lines

_NEGATIVE: Final = re.compile(rb":\s*-")


def frame_lines(block: bytes, contract: Contract) -> tuple[bytes, int] | None:
    """The events of JSON lines, each after its length, and how many there are.

    None where there is anything but modelled events, one on each line.
    """
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
    codecs = contract.by_struct
    events = _Events()
    add = {struct: getattr(events, codec.arm).add for struct, codec in codecs.items()}
    fill = {struct: codec.fill for struct, codec in codecs.items()}
    types = list(map(type, structs))
    messages = map(call, map(add.__getitem__, types))
    for kind, message, struct in zip(types, messages, structs, strict=True):
        fill[kind](message, struct)
    serialized = _SerializedEvents.FromString(events.SerializeToString())
    frames = {struct: iter(_frames(codec, getattr(serialized, codec.arm))) for struct, codec in codecs.items()}
    return b"".join(map(next, map(frames.__getitem__, types))), len(structs)


def print_lines(messages: Sequence[bytes], contract: Contract) -> bytes | None:
    """The JSON lines of serialized events; None where one is anything but a modelled event, and nothing beside it."""
    codecs = {_tag(codec): codec for codec in contract.by_type.values()}
    by_tag: dict[int, list[bytes]] = {tag: [] for tag in sorted(codecs)}
    try:
        for message in messages:
            # What begins with the tag of an event and ends with that event's own message holds nothing else.
            if message[1] == len(message) - 2 < 0x80 or (
                message[2] < 0x80 <= message[1] and (message[1] & 0x7F | message[2] << 7) == len(message) - 3
            ):
                by_tag[message[0]].append(message)
            else:
                return None
        data = b"".join(chain.from_iterable(by_tag.values()))
        # What comes back to the byte has no field twice: a column with as many values as messages has one of each.
        if _Events.FromString(data).SerializeToString() != data:
            return None
        columns = _Columns.FromString(data)
        structs = {tag: _structs(codec, getattr(columns, codec.arm), len(by_tag[tag])) for tag, codec in codecs.items()}
    except (DecodeError, IncompleteEventError, LookupError):
        return None
    return encode_lines([next(structs[message[0]]) for message in messages])


def _frames(codec: EventCodec, messages: Sequence[bytes]) -> list[bytes]:
    """`OpenResponsesStreamEvent`s, each after its length, of serialized messages of one type."""
    tag = VARINTS[_tag(codec)]
    heads = {}
    for length in set(map(len, messages)):
        head = tag + VARINTS[length]
        heads[length] = VARINTS[len(head) + length] + head
    return [heads[len(message)] + message for message in messages]


def _structs(codec: EventCodec, columns: Any, count: int) -> Iterator[msgspec.Struct]:
    """What `codec.to_struct` makes of each of `count` messages, whose fields are given as columns."""
    values = []
    for _, _, field, kind in codec.properties:
        column = list(getattr(columns, field))
        if len(column) != count:
            codec.missing(field)
        if kind.python_type is float:
            doubles = column
            column = list(map(WHOLE_NUMBERS.get, doubles))
            for index in [index for index, number in enumerate(column) if number is None]:
                column[index] = codec.number_of(field, doubles[index])
        values.append(column)
    return map(codec.struct, *values) if values else (codec.struct() for _ in range(count))


def _tag(codec: EventCodec) -> int:
    """What an event's arm begins with on the wire: its number, and that it is a message."""
    return codec.number << 3 | 2


def _events_twin(
    arm_type: FieldDescriptorProto.Type.ValueType, arm_label: FieldDescriptorProto.Label.ValueType, *, columns: bool
) -> Any:
    """A message with the arms of `OpenResponsesStreamEvent.event` as fields of their own, of a type and a label.

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
        field = twin.field.add(name=arm.name, number=arm.number, label=arm_label, type=arm_type)
        if arm_type == FieldDescriptorProto.TYPE_MESSAGE:
            field.type_name = f".{arm.message_type.full_name}"
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(f"{file.package}.{twin.name}"))


_Events = _events_twin(FieldDescriptorProto.TYPE_MESSAGE, FieldDescriptorProto.LABEL_REPEATED, columns=False)
_SerializedEvents = _events_twin(FieldDescriptorProto.TYPE_BYTES, FieldDescriptorProto.LABEL_REPEATED, columns=False)
_Columns = _events_twin(FieldDescriptorProto.TYPE_MESSAGE, FieldDescriptorProto.LABEL_OPTIONAL, columns=True)
