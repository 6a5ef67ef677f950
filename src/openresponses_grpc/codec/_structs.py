"""msgspec types for the messages: on the fast path, one call parses the JSON of an event.

A type accepts the values that the message's fields can hold, and `null`. The slow path reads any other JSON.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Final, Union

import msgspec
from msgspec import UNSET, Raw, UnsetType

from ._schema import TYPE, Field, Kind, Message, Naming, Shape

_MAX_LEARNED: Final = 64
_MAX_SEEN: Final = 256

# The only characters that msgspec allows in property names.
_LEARNABLE: Final = re.compile(r"[ !#-\[\]-~]{1,64}").fullmatch

_TYPES: Final[dict[Kind, Any]] = {Kind.STRING: str, Kind.NUMBER: int | float, Kind.BOOLEAN: bool, Kind.TEXT: Raw}


Learned = dict[Message, tuple[str, ...]]
"""Names of unknown properties that the types have fields for."""


class Learner:
    """Learns the names of recurring unknown properties.

    An unknown property makes the msgspec type fail, and the slow path takes several times as long. So a name that
    occurs a second time gets a field of its own. Both the learned names and the names seen once are bounded: a peer
    that invents names costs time, but no memory.

    Attributes:
        learned: the names so far; each new name replaces the `dict`.

    """

    def __init__(self) -> None:
        self.learned: Learned = {}
        self._seen: Counter[tuple[Message, str]] = Counter()
        self._count = 0

    def observe(self, message: Message, name: str) -> bool:
        """Records an unknown name; returns whether it has just been learned."""
        known = self.learned.get(message, ())
        if self._count == _MAX_LEARNED or not _LEARNABLE(name) or name in (TYPE, *message.by_name, *known):
            return False
        if len(self._seen) == _MAX_SEEN:
            self._seen.clear()
        self._seen[message, name] += 1
        if self._seen[message, name] != 2:
            return False
        self.learned = {**self.learned, message: (*known, name)}
        self._count += 1
        return True


class Types:
    """The msgspec types of all messages in one naming, created on first use.

    Attributes:
        raw: the fields whose message has no msgspec type; their values are `Raw`.

    """

    def __init__(self, event: Message, naming: Naming, learned: Learned) -> None:
        self._event = event
        self._naming: Naming = naming
        self._learned = learned
        self._types: dict[Message, Any] = {}
        self.raw: set[Field] = set()

    def of(self, message: Message) -> Any:
        """Returns the type of a message; `Raw` if msgspec cannot express it or, for a recursive message, not yet."""
        if message not in self._types:
            self._types[message] = Raw
            self._types[message] = self._make(message)
        return self._types[message]

    def of_field(self, field: Field) -> Any:
        """Returns the type of a field's value."""
        if field.kind is not Kind.MESSAGE:
            return _TYPES[field.kind]
        type = self.of(field.message)
        if type is Raw:
            self.raw.add(field)
        return type

    def _make(self, message: Message) -> Any:
        match message.shape:
            case Shape.OBJECT:
                return self._struct(message)
            case Shape.LIST:
                return list[self.of_field(message.element)]  # type: ignore[misc]
            case Shape.MAP:
                return dict[str, self.of_field(message.element)]  # type: ignore[misc]
        # msgspec does not support untagged structs in a union with tagged ones.
        if message.by_kind.keys() & ({Kind.NUMBER, Kind.BOOLEAN} | ({Shape.OBJECT} if message.by_type else set())):
            return Raw
        members = [self.of_field(field) for field in message.fields]
        if Raw in members:
            return Raw
        if message.by_type:
            members.append(_NoMember)  # with a second struct, msgspec requires the tag
        if message is not self._event:
            members.append(None)
        return Union[tuple(members)]  # noqa: UP007 - built at run time

    def _struct(self, message: Message) -> type[msgspec.Struct]:
        fields = [(field.name, _or_null(self.of_field(field)), UNSET) for field in message.fields]
        rename = {field.name: field.names[self._naming] for field in message.fields}
        for index, name in enumerate(self._learned.get(message, ())):
            fields.append((extra_attribute(index), Raw, UNSET))
            rename[extra_attribute(index)] = name
        return msgspec.defstruct(
            message.name,
            fields,
            tag_field=TYPE if message.type else None,
            tag=message.type,
            rename=rename,
            forbid_unknown_fields=True,
            gc=False,
        )


class _NoMember(msgspec.Struct, tag_field=TYPE, tag="\0"):
    """Matches no object."""


def extra_attribute(index: int) -> str:
    """Returns the struct attribute for the learned name with this index."""
    return f"extra_{index}"


def _or_null(type: Any) -> Any:
    return Raw if type is Raw else Union[type, None, UnsetType]  # noqa: UP007 - built at run time
