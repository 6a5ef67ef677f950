"""Valid protobuf encodings that no serializer produces."""

from __future__ import annotations

from typing import NamedTuple

from google.protobuf.descriptor import Descriptor
from hypothesis import strategies as st


class Field(NamedTuple):
    """An encoded field: number, wire type, and value without a length prefix."""

    number: int
    wire_type: int
    value: bytes

    def encode(self, padding: int = 0) -> bytes:
        """Encodes the field; `padding` adds bytes to its length prefix."""
        length = varint(len(self.value), padding) if self.wire_type == 2 else b""
        return varint(self.number << 3 | self.wire_type) + length + self.value


def varint(number: int, padding: int = 0) -> bytes:
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)
    if padding:
        data[-1] |= 0x80
        data += b"\x80" * (padding - 1) + b"\0"
    return bytes(data)


def split(data: bytes) -> list[Field]:
    """Splits a valid message into its fields."""
    fields = []
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        start, end = at, at + 8
        if tag & 7 == 2:
            length, start = _read_varint(data, at)
            end = start + length
        elif tag & 7 == 0:
            end = _read_varint(data, at)[1]
        fields.append(Field(tag >> 3, tag & 7, data[start:end]))
        at = end
    return fields


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        number |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 0x80:
            return number, at


@st.composite
def rewritten(draw: st.DrawFn, data: bytes, message: Descriptor) -> bytes:
    """Encodes a message with fields reordered, repeated or split in two, and with padded length prefixes."""
    fields = []
    for field in split(data):
        of = message.fields_by_number[field.number].message_type
        if of and field.wire_type == 2:
            field = field._replace(value=draw(rewritten(field.value, of)))
        pieces = [field]
        if of and draw(st.integers(0, 9)) == 9:
            inner = split(field.value)
            cut = draw(st.integers(0, len(inner)))
            pieces = [
                field._replace(value=b"".join(one.encode() for one in part)) for part in (inner[:cut], inner[cut:])
            ]
        fields += pieces * draw(st.sampled_from([1] * 19 + [2]))
    if draw(st.integers(0, 4)) == 4:
        fields = draw(st.permutations(fields))
    padding = draw(st.sampled_from([0] * 9 + [1, 3]))
    return b"".join(field.encode(padding) for field in fields)
