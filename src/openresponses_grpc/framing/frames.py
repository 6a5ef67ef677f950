"""An event's bytes, put together out of its values without a message: `OpenResponsesStreamEvent` after its length.

All of an event's fields are there, so that what is on the wire is the same for all events of a type but the values: of
each field its number with the kind of what follows, and then a string after its length, a double as 8 bytes, a bool as
one (https://protobuf.dev/programming-guides/encoding).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import groupby
from struct import Struct
from typing import Any, Final

import msgspec

from ..codec import EventCodec, define
from .varint import VARINTS

_VARINT, _FIXED_64, _LENGTH_DELIMITED = 0, 1, 2

_KINDS: Final[dict[type, tuple[int, str]]] = {
    str: (_LENGTH_DELIMITED, ""),
    float: (_FIXED_64, "d"),
    bool: (_VARINT, "?"),
}
"""The wire type of a value and, where it has a fixed size, how `struct` packs it."""


class _Heads(dict[int, bytes]):
    """What stands before so many bytes on the wire; the usual ones are ready.

    Args:
        head: makes it.

    """

    def __init__(self, head: Callable[[int], bytes]) -> None:
        super().__init__((length, head(length)) for length in range(1 << 10))
        self._head = head

    def __missing__(self, length: int) -> bytes:
        return self._head(length)


def event_tag(codec: EventCodec) -> int:
    """What an event's arm begins with on the wire: its number, and that it is a message."""
    return codec.number << 3 | _LENGTH_DELIMITED


def compile_frame(codec: EventCodec) -> Callable[[msgspec.Struct], bytes]:
    """The function that makes an event's bytes of its `struct`."""

    def event_head(length: int) -> bytes:
        head = VARINTS[event_tag(codec)] + VARINTS[length]
        return VARINTS[len(head) + length] + head

    message = codec.message_class.DESCRIPTOR
    fields = sorted(
        (message.fields_by_name[field].number, *_KINDS[kind.python_type], field)
        for _, _, field, kind in codec.properties
    )
    names: dict[str, Any] = {"join": b"".join, "event_head": _Heads(event_head)}
    lines = ["def frame(struct):"]
    parts: list[str] = []
    # Values of a fixed size that follow each other are packed in one call.
    for fixed, group in groupby(fields, key=lambda field: bool(field[2])):
        values = [
            (VARINTS[number << 3 | wire_type], form, f"struct.{field}") for number, wire_type, form, field in group
        ]
        if fixed:
            name = f"pack_{len(parts)}"
            names[name] = Struct("<" + "".join(f"{len(tag)}s{form}" for tag, form, _ in values)).pack
            parts.append(f"{name}({', '.join(f'{tag!r}, {value}' for tag, _, value in values)})")
            continue
        for tag, _, value in values:
            index = len(parts)
            names[f"head_{index}"] = _Heads(partial(_head, tag))
            lines.append(f"    text_{index} = {value}.encode()")
            parts.append(f"head_{index}[len(text_{index})], text_{index}")
    lines.append(f"    message = join(({''.join(f'{part}, ' for part in parts)}))")
    lines.append("    return event_head[len(message)] + message")
    return define(lines, **names)


def _head(tag: bytes, length: int) -> bytes:
    return tag + VARINTS[length]
