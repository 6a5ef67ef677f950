"""Compiles functions that convert serialized messages to JSON without parsing a protobuf message.

They expect the form that `_encode` and protobuf's deterministic serialization write: fields in ascending order, each at
most once. For any other form they raise one of `FALLBACK_ERRORS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NoReturn

from ._encode import EXTRA_TAG
from ._extras import checked_value, compile_extras, piece_of
from ._scalars import NUMBERS, FallbackError, encode_value
from ._schema import EXTRA, TYPE, Field, Kind, Message, Naming, Shape
from ._source import Lazy, define

FALLBACK_ERRORS: Final = (FallbackError, ValueError, IndexError, RecursionError)
"""Errors of the compiled functions for bytes that they do not handle."""

Decoder = Callable[[bytes, int, int], bytes]
"""Converts the bytes between two indexes to JSON."""


class Decoders:
    """The decoders of all messages for one naming.

    Args:
        naming: spelling of properties.
        deep: whether to accept deeply nested JSON text in messages. If not, such text raises FallbackError: only
            `_check` knows the depth of the message around it.

    Attributes:
        of: the decoder of each message.

    """

    def __init__(self, naming: Naming, *, deep: bool = False) -> None:
        self._naming: Naming = naming
        self._deep = deep
        self.of: Lazy[Message, Decoder] = Lazy(self._make)

    def _make(self, message: Message) -> Decoder:
        make = {Shape.OBJECT: self._object, Shape.UNION: self._union, Shape.LIST: self._list, Shape.MAP: self._map}
        return make[message.shape](message)

    def _of_field(self, field: Field) -> Decoder:
        if field.kind is Kind.MESSAGE:
            return self.of[field.message]
        text = self._object_text if field.object_only else self._text
        return {Kind.STRING: _string, Kind.NUMBER: _number, Kind.BOOLEAN: _boolean, Kind.TEXT: text}[field.kind]

    def _object(self, message: Message) -> Decoder:
        # `pieces` has a slot for each property. The slot of a missing property stays empty.
        head = f'{{"{TYPE}":'.encode() + encode_value(message.type) if message.type else b"{"
        names = {
            **_NAMES,
            "PIECES": [head, *(b"" for _ in message.fields)],
            "extras": compile_extras(message, self._naming, self._deep),
        }
        next_tag = ["tag = data[at] if at < end else 0"]
        if any(len(field.tag) > 1 for field in message.fields):
            next_tag += ["if tag > 0x7f:", "    tag |= data[at + 1] << 8"]
        lines = ["def decode(data, at, end):", "    pieces = PIECES[:]", "    extra = None", *_indent(1, next_tag)]
        extra_lines = [
            f"    if tag == {EXTRA_TAG[0]}:",
            *_size_lines(1),
            "        extra = data[at:stop]",
            "        at = stop",
            *_indent(2, next_tag),
        ]
        for index, field in enumerate(message.fields, 1):
            if field.number > EXTRA:
                lines += extra_lines
                extra_lines = []
            lines += self._field_lines(index, field, names)
            lines += _indent(2, next_tag)
        lines += [
            *extra_lines,
            "    if at != end:",
            "        raise FallbackError",
            "    if extra is not None:",
            "        extras(extra, pieces)",
            "    pieces.append(b'}')",
            "    return join(pieces)" if message.type else "    return join(pieces).replace(b'{,', b'{', 1)",
        ]
        return define(f"decode {message.name} {self._naming}", lines, names)

    def _field_lines(self, index: int, field: Field, names: dict[str, object]) -> list[str]:
        skip = len(field.tag)
        name = piece_of(field.names[self._naming])
        lines = [f"    if tag == {int.from_bytes(field.tag, 'little')}:"]
        match field.kind:
            case Kind.NUMBER:
                value = f"NUMBERS[data[at + {skip}:at + {skip + 8}]]"
                return [*lines, f"        pieces[{index}] = {name!r} + {value}", f"        at += {skip + 8}"]
            case Kind.BOOLEAN:
                value = f"BOOLEANS[data[at + {skip}]]"
                return [*lines, f"        pieces[{index}] = {name!r} + {value}", f"        at += {skip + 1}"]
            case Kind.STRING:
                value = "encode_value(data[at:stop].decode())"
            case _:
                decode = f"decode_{field.number}"
                names[decode] = self._of_field(field)
                value = f"{decode}(data, at, stop)"
                if field.kind is Kind.MESSAGE and field.message.shape in _EMPTY:
                    value = f"({value} if at < stop else {_EMPTY[field.message.shape]!r})"
        return [*lines, *_size_lines(skip), f"        pieces[{index}] = {name!r} + {value}", "        at = stop"]

    def _text(self, data: bytes, at: int, end: int) -> bytes:
        text = checked_value(data[at:end], self._deep)
        if text == b"null":
            raise FallbackError
        return text

    def _object_text(self, data: bytes, at: int, end: int) -> bytes:
        text = checked_value(data[at:end], self._deep)
        if not text.startswith(b"{"):
            raise FallbackError
        return text

    def _unrecognized(self, data: bytes, at: int, end: int) -> bytes:
        if data[at] == 0x0A:
            at, stop = size_at(data, at + 1)
            data[at:stop].decode()
            at = stop
        if data[at] != 0x12:
            raise FallbackError
        at, stop = size_at(data, at + 1)
        if stop != end:
            raise FallbackError
        return checked_value(data[at:end], self._deep)

    def _union(self, message: Message) -> Decoder:
        fields = {int.from_bytes(field.tag, "little"): field for field in message.fields}

        def make(tag: int) -> Decoder:
            if tag == EXTRA_TAG[0]:
                return self._unrecognized
            if tag not in fields:
                raise FallbackError
            return self._of_field(fields[tag])

        lines = [
            "def decode(data, at, end):",
            "    tag = data[at]",
            "    skip = 1",
            "    if tag > 0x7f:",
            "        tag |= data[at + 1] << 8",
            "        skip = 2",
            "    if tag & 7 != 2:",
            "        return members[tag](data, at + skip, end)",
            *_size_lines("skip", level=1),
            "    if stop != end:",
            "        raise FallbackError",
            "    return members[tag](data, at, end)",
        ]
        return define(f"decode {message.name} {self._naming}", lines, {**_NAMES, "members": Lazy(make)})

    def _list(self, message: Message) -> Decoder:
        if message.element.kind is Kind.NUMBER:
            return _numbers
        lines = [
            "def decode(data, at, end):",
            "    elements = []",
            "    while at < end:",
            "        if data[at] != 0x0a:",
            "            raise FallbackError",
            *_size_lines(1),
            "        elements.append(decode_element(data, at, stop))",
            "        at = stop",
            "    if at != end:",
            "        raise FallbackError",
            "    return b'[' + b','.join(elements) + b']'",
        ]
        names = {**_NAMES, "decode_element": self._of_field(message.element)}
        return define(f"decode {message.name} {self._naming}", lines, names)

    def _map(self, message: Message) -> Decoder:
        decode_value = self._of_field(message.element)

        def decode(data: bytes, at: int, end: int) -> bytes:
            entries: dict[bytes, bytes] = {}
            count = 0
            while at < end:
                if data[at] != 0x0A:
                    raise FallbackError
                at, stop = size_at(data, at + 1)
                name, at = _expect(data, at, b"\x0a", _string)
                entries[name], at = _expect(data, at, b"\x12", decode_value)
                count += 1
                if at != stop:
                    raise FallbackError
            if at != end or count != len(entries):
                raise FallbackError
            return b"{" + b",".join([name + b":" + value for name, value in entries.items()]) + b"}"

        return decode


_EMPTY: Final = {Shape.LIST: b"[]", Shape.MAP: b"{}"}
_BOOLEANS: Final = (b"false", b"true")


def _indent(level: int, lines: list[str]) -> list[str]:
    return ["    " * level + line for line in lines]


def _size_lines(skip: int | str, level: int = 2) -> list[str]:
    """Returns code that finds the start and the end of a field. Its length prefix follows after `skip` bytes."""
    return _indent(
        level,
        [
            f"at += {skip}",
            "stop = data[at]",
            "at += 1",
            "if stop < 0x80:",
            "    stop += at",
            "elif data[at] < 0x80:",
            "    stop = at + 1 + (stop & 0x7f | data[at] << 7)",
            "    at += 1",
            "else:",
            "    at, stop = size_at(data, at - 1)",
        ],
    )


def size_at(data: bytes, at: int) -> tuple[int, int]:
    """Returns the start and the end of a length-delimited field with the length prefix at an index."""
    size = shift = 0
    while data[at] > 0x7F:
        size |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
    at += 1
    return at, at + (size | data[at - 1] << shift)


def _expect(data: bytes, at: int, tag: bytes, decode: Decoder) -> tuple[bytes, int]:
    if not data.startswith(tag, at):
        raise FallbackError
    at, stop = size_at(data, at + 1)
    return decode(data, at, stop), stop


def _string(data: bytes, at: int, end: int) -> bytes:
    return encode_value(data[at:end].decode())


def _number(data: bytes, at: int, end: int) -> bytes:
    return NUMBERS[data[at:end]]


def _boolean(data: bytes, at: int, end: int) -> bytes:
    return _BOOLEANS[data[at]] if at + 1 == end else _fall_back()


def _numbers(data: bytes, at: int, end: int) -> bytes:
    """Decodes a packed list of doubles."""
    if at == end:
        return b"[]"
    if data[at] != 0x0A:
        raise FallbackError
    at, stop = size_at(data, at + 1)
    if stop != end:
        raise FallbackError
    return b"[" + b",".join([NUMBERS[data[index : index + 8]] for index in range(at, end, 8)]) + b"]"


def _fall_back() -> NoReturn:
    raise FallbackError


_NAMES: Final[dict[str, object]] = {
    "NUMBERS": NUMBERS,
    "BOOLEANS": _BOOLEANS,
    "FallbackError": FallbackError,
    "encode_value": encode_value,
    "join": b"".join,
    "size_at": size_at,
}
"""Globals of the compiled functions."""
