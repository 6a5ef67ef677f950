"""The slow path: converts any JSON object to a serialized event, member by member.

Each member first tries the compiled functions, so that one unusual value slows down only its own object.
"""

from __future__ import annotations

from collections.abc import Callable

from ._encode import EXTRA_TAG, delimited, unrecognized
from ._extras import name_text
from ._scalars import double_of, one_line
from ._scan import array_elements, child_path, object_members, string_value
from ._schema import TYPE, Field, Kind, Message, Naming, Shape

_NUMBER_STARTS = tuple("-0123456789")


class GeneralReader:
    """Converts the JSON of messages.

    Args:
        naming: the only spelling to accept; None accepts both.
        compiled: the fast path: serializes a message from its JSON, or returns None.
        unknown: called with a message and its unknown property, if it has exactly one.

    """

    def __init__(
        self,
        naming: Naming | None,
        compiled: Callable[[Message, bytes], bytes | None],
        unknown: Callable[[Message, str], None],
    ) -> None:
        self._naming: Naming | None = naming
        self._compiled = compiled
        self._unknown = unknown

    def union(self, message: Message, text: str, path: str, fallback_type: str | None = None) -> bytes:
        """Converts any JSON value to a union.

        Args:
            message: the union.
            text: the JSON, without surrounding white space.
            path: path of the value.
            fallback_type: type of an unrecognized value without one.

        Raises:
            InvalidJSONError: `text` is not JSON.

        """
        type = None
        data = None
        if text.startswith("{"):
            members = object_members(text, path)
            type_text = members.get(TYPE, "")
            type = _unicode(type_text)
            field = message.by_type.get(type) if type is not None else None
            if TYPE not in members:
                field = message.by_kind.get(Shape.OBJECT)
            if field:
                data = delimited(field.tag, self._object(field.message, members, path))
        else:
            shape = Shape.LIST if text.startswith("[") else _kind(text)
            field = shape and message.by_kind.get(shape)
            data = self._field(field, text, path) if field else None
        return unrecognized(one_line(text.encode()), fallback_type if type is None else type) if data is None else data

    def message(self, message: Message, text: str, path: str) -> bytes | None:
        """Converts a value to a message; returns None if the message cannot hold it."""
        data = self._compiled(message, text.encode())
        if data is not None:
            return data
        match message.shape:
            case Shape.UNION:
                return self.union(message, text, path)
            case Shape.OBJECT if text.startswith("{"):
                return self._object(message, object_members(text, path), path)
            case Shape.LIST if text.startswith("["):
                return self._list(message, text, path)
            case Shape.MAP if text.startswith("{"):
                return self._map(message, text, path)
        return None

    def _object(self, message: Message, members: dict[str, str], path: str) -> bytes:
        known: dict[Field, str] = {}
        unknown: dict[str, str] = {}
        for name, text in members.items():
            field = message.by_name.get(name)
            if name == TYPE and message.type:
                continue
            if field and self._is_name_of(field, name, members):
                known[field] = text
            else:
                unknown[name] = text
        if len(unknown) == 1:
            self._unknown(message, *unknown)
        data, after_extra, extra = b"", b"", b""
        for field in message.fields:
            if (text := known.get(field, "")) == "":
                continue
            value_path = child_path(path, field.names[self._naming or "snake_case"])
            value = None if text == "null" else self._field(field, text, value_path)
            if value is None:
                extra += _member(field.names["snake_case"], text)
            elif field.number < 15:
                data += value
            else:
                after_extra += value
        for name, text in unknown.items():
            extra += _member(name, text)
        if extra:
            data += delimited(EXTRA_TAG, b"{" + extra[1:] + b"}")
        return data + after_extra

    def _is_name_of(self, field: Field, name: str, members: dict[str, str]) -> bool:
        if self._naming:
            return name == field.names[self._naming]
        snake = field.names["snake_case"]
        return name == snake or snake not in members

    def _list(self, message: Message, text: str, path: str) -> bytes | None:
        data = b""
        for index, element in enumerate(array_elements(text, path)):
            value = self._field(message.element, element, f"{path}[{index}]")
            if value is None:
                return None
            data += value[1:] if message.element.kind is Kind.NUMBER else value
        return delimited(b"\x0a", data) if message.element.kind is Kind.NUMBER and data else data

    def _map(self, message: Message, text: str, path: str) -> bytes | None:
        data = b""
        for name, member in object_members(text, path).items():
            value = self._field(message.element, member, child_path(path, name))
            try:
                key = name.encode()
            except UnicodeEncodeError:
                return None
            if value is None:
                return None
            data += delimited(b"\x0a", delimited(b"\x0a", key) + value)
        return data

    def _field(self, field: Field, text: str, path: str) -> bytes | None:
        """Converts a value to a field with its tag; returns None if the field cannot hold it."""
        value: bytes | None
        match field.kind:
            case Kind.MESSAGE:
                value = self.message(field.message, text, path)
            case Kind.TEXT:
                value = one_line(text.encode()) if text.startswith("{") or not field.object_only else None
            case Kind.NUMBER if _kind(text) is Kind.NUMBER:
                double = double_of(text)
                return double and field.tag + double
            case Kind.BOOLEAN if _kind(text) is Kind.BOOLEAN:
                return field.tag + (b"\x01" if text == "true" else b"\x00")
            case Kind.STRING if (string := _unicode(text)) is not None:
                value = string.encode()
            case _:
                value = None
        return None if value is None else delimited(field.tag, value)


def _kind(text: str) -> Kind | None:
    if text.startswith('"'):
        return Kind.STRING
    if text.startswith(_NUMBER_STARTS):
        return Kind.NUMBER
    return Kind.BOOLEAN if text in ("true", "false") else None


def _unicode(text: str) -> str | None:
    """Returns the value of a JSON string; None for other values and for strings with lone surrogates."""
    if not text.startswith('"'):
        return None
    value = string_value(text)
    try:
        value.encode()
    except UnicodeEncodeError:
        return None
    return value


def _member(name: str, text: str) -> bytes:
    return b"," + name_text(name) + b":" + one_line(text.encode())
