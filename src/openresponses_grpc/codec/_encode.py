"""Compiles functions that serialize parsed structs (https://protobuf.dev/programming-guides/encoding).

They write fields in ascending order, each at most once, with minimal lengths, like protobuf's deterministic
serialization.
"""

from __future__ import annotations

from collections.abc import Callable
from types import NoneType
from typing import Any, Final

from msgspec import UNSET

from ._scalars import DOUBLES, SIZES, FallbackError, encode_value, raw_text
from ._schema import EXTRA, Field, Kind, Message, Shape, varint
from ._source import Lazy, define
from ._structs import Learned, Types, extra_attribute

_FEW: Final = 3

EXTRA_TAG: Final = varint(EXTRA << 3 | 2)
NULL: Final = b"null"

Encoder = Callable[[Any], bytes]


def delimited(tag: bytes, data: bytes) -> bytes:
    """Returns a length-delimited field."""
    return tag + SIZES[len(data)] + data


def unrecognized(json: bytes, type: str | None = None) -> bytes:
    """Returns an `unrecognized` member."""
    data = delimited(b"\x12", json)
    return delimited(EXTRA_TAG, data if type is None else delimited(b"\x0a", type.encode()) + data)


Members = Lazy[type, tuple[bytes, Encoder]]
"""Tags and encoders of a union's members, by the class of the value."""


class Encoders:
    """The encoders of all messages for one naming, compiled on first use.

    Args:
        types: the msgspec types of the values.
        learned: unknown property names that the structs have fields for.
        general: serializes a message from its JSON, for messages without a msgspec type.

    Attributes:
        of: the encoder of each message; it raises FallbackError for values that it does not handle.
        members_of: the members of each union.

    """

    def __init__(self, types: Types, learned: Learned, general: Callable[[Message, bytes], bytes]) -> None:
        self._types = types
        self._learned = learned
        self._general = general
        self.of: Lazy[Message, Encoder] = Lazy(self._make)
        self.members_of: Lazy[Message, Members] = Lazy(self._make_members)

    def _make(self, message: Message) -> Encoder:
        make = {Shape.OBJECT: self._object, Shape.UNION: self._union, Shape.LIST: self._list, Shape.MAP: self._map}
        return make[message.shape](message)

    def _of_field(self, field: Field) -> Encoder:
        """Returns the encoder of a field's value, without tag and length."""
        if field in self._types.raw:
            return lambda raw: self._general(field.message, raw_text(raw))
        if field.kind is Kind.MESSAGE:
            return self.of[field.message]
        if field.kind is Kind.TEXT:
            return _object_text if field.object_only else raw_text
        encode: Encoder = str.encode
        return encode

    def _object(self, message: Message) -> Encoder:
        names: dict[str, object] = {
            "DOUBLES": DOUBLES, "EMPTY": b"", "TRUE": b"\x01", "FALSE": b"\x00", "NULL": NULL, "SIZES": SIZES,
            "UNSET": UNSET, "FallbackError": FallbackError, "join": b"".join, "raw_text": raw_text,
        }  # fmt: skip
        # For few parts, concatenation is faster than a list and a join.
        few = len(message.fields) <= _FEW
        add = _added if few else _listed
        many_extras = len(message.fields) > EXTRA
        add_extra = _appended if many_extras else _extended
        lines = ["def encode(struct):"]
        lines += ["    parts = b''" if few else "    parts = []", "    extra = []" if many_extras else "    extra = ()"]
        before = "len(parts)"
        for field in message.fields:
            if field.number > EXTRA and before == "len(parts)":
                before = "before"
                lines.append("    before = len(parts)")
            raw = field.kind is Kind.TEXT or field in self._types.raw
            lines += [
                f"    value = struct.{field.name}",
                f"    if value is {'not UNSET and bytes(value) == NULL' if raw else 'None'}:",
                add_extra(repr(encode_value(field.names["snake_case"]) + b":null")),
                "    elif value is not UNSET:",
            ]
            lines += self._field_lines(field, raw, names, add)
        lines += self._learned_lines(message, add_extra)
        extra = f"{EXTRA_TAG!r}, SIZES[len(extra)], extra"
        lines += [
            "    if extra:",
            "        extra = b'{' + b','.join(extra) + b'}'",
            add(extra) if few else f"        parts[{before}:{before}] = ({extra})",
            "    return parts" if few else "    return join(parts)",
        ]
        return define(f"encode {message.name}", lines, names)

    def _field_lines(
        self, field: Field, raw: bool, names: dict[str, object], add: Callable[[str], str]
    ) -> tuple[str, ...]:
        match field.kind:
            case Kind.NUMBER:
                return (add(f"{field.tag!r}, DOUBLES[value]"),)
            case Kind.BOOLEAN:
                return (add(f"{field.tag!r}, (TRUE if value else FALSE)"),)
            case Kind.STRING:
                return "        value = value.encode()", add(f"{field.tag!r}, SIZES[len(value)], value")
            case Kind.MESSAGE if field.message.shape is Shape.UNION and not raw:
                # The union is inlined, which saves calls worth a tenth of the time.
                names[f"members_{field.number}"] = self.members_of[field.message]
                return (
                    f"        tag, encode = members_{field.number}[type(value)]",
                    "        value = encode(value)",
                    "        size = SIZES[len(value)]",
                    add(f"{field.tag!r}, SIZES[len(tag) + len(size) + len(value)], tag, size, value"),
                )
        names[f"encode_{field.number}"] = self._of_field(field)
        empty = field.kind is Kind.MESSAGE and field.message.shape in (Shape.LIST, Shape.MAP) and not raw
        return (
            f"        value = encode_{field.number}(value){' if value else EMPTY' if empty else ''}",
            add(f"{field.tag!r}, SIZES[len(value)], value"),
        )

    def _learned_lines(self, message: Message, add_extra: Callable[[str], str]) -> list[str]:
        lines = []
        learned = self._learned.get(message, ())
        if len(learned) > 1:
            lines.append("    known = len(extra)")
        for index, name in enumerate(learned):
            lines += [f"    value = struct.{extra_attribute(index)}", "    if value is not UNSET:"]
            if index:
                # The struct does not keep the order of two or more such properties.
                lines += ["        if len(extra) > known:", "            raise FallbackError"]
            lines.append(add_extra(f"{encode_value(name) + b':'!r} + raw_text(value)"))
        return lines

    def _make_members(self, union: Message) -> Members:
        fields = {_class(self._types.of_field(field)): field for field in union.fields}

        def make(kind: type) -> tuple[bytes, Encoder]:
            if kind is NoneType:
                return EXTRA_TAG, lambda _: delimited(b"\x12", NULL)
            if kind not in fields:
                raise FallbackError
            return fields[kind].tag, self._of_field(fields[kind])

        return Members(make)

    def _union(self, message: Message) -> Encoder:
        members = self.members_of[message]

        def encode(value: Any) -> bytes:
            tag, encode_member = members[type(value)]
            data = encode_member(value)
            return tag + SIZES[len(data)] + data

        return encode

    def _list(self, message: Message) -> Encoder:
        element = message.element
        if element.kind is Kind.NUMBER:
            return lambda values: delimited(b"\x0a", b"".join([DOUBLES[value] for value in values])) if values else b""
        if element.kind is Kind.MESSAGE and element.message.shape is Shape.UNION and element not in self._types.raw:
            return _list_of_unions(self.members_of[element.message])
        encode_element = self._of_field(element)

        def encode(values: list[Any]) -> bytes:
            parts: list[bytes] = []
            for value in values:
                data = encode_element(value)
                parts += (b"\x0a", SIZES[len(data)], data)
            return b"".join(parts)

        return encode

    def _map(self, message: Message) -> Encoder:
        encode_value = self._of_field(message.element)

        def encode(values: dict[str, Any]) -> bytes:
            return b"".join(
                [
                    delimited(b"\x0a", delimited(b"\x0a", name.encode()) + delimited(b"\x12", encode_value(value)))
                    for name, value in values.items()
                ]
            )

        return encode


def _added(parts: str) -> str:
    return f"        parts += {parts.replace(', ', ' + ')}"


def _listed(parts: str) -> str:
    return f"        parts += ({parts})"


def _appended(extra: str) -> str:
    return f"        extra.append({extra})"


def _extended(extra: str) -> str:
    return f"        extra += ({extra},)"


def _list_of_unions(members: Members) -> Encoder:
    # The union is inlined: a call for each element would take a third of the time.
    def encode(values: list[Any]) -> bytes:
        parts: list[bytes] = []
        for value in values:
            tag, encode_member = members[type(value)]
            data = encode_member(value)
            size = SIZES[len(data)]
            parts += (b"\x0a", SIZES[len(tag) + len(size) + len(data)], tag, size, data)
        return b"".join(parts)

    return encode


def _object_text(raw: Any) -> bytes:
    text = raw_text(raw)
    if not text.startswith(b"{"):
        raise FallbackError
    return text


def _class(type: Any) -> type:
    """Returns the class of a type's values: `list` for `list[str]`."""
    return getattr(type, "__origin__", type)  # type: ignore[no-any-return]
