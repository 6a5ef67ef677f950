"""From an event's JSON to its bytes: by the compiled functions first, else by the general ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from ..errors import InvalidJSONError
from ._encode import Encoders, Members
from ._extras import shallow
from ._general import GeneralReader
from ._scalars import MINUS, OddError, has_negative_zero
from ._schema import NAMINGS, Message, Naming
from ._source import COMPILING, Lazy
from ._structs import Learned, Learner, Types

ODD: Final = (msgspec.DecodeError, OddError, UnicodeError, RecursionError)
"""What the compiled functions raise for JSON that they do not handle."""


Usual = tuple[Callable[[bytes], Any], Members]
"""What reads the usual JSON of a union: a parser, and the functions that make bytes of its result."""


class _Compiled:
    """The types and functions of one naming, for the names learned so far."""

    def __init__(
        self, event: Message, naming: Naming, learned: Learned, general: Callable[[Message, bytes], bytes]
    ) -> None:
        self._types = Types(event, naming, learned)
        self._encoders = Encoders(self._types, learned, general)
        self._decoders = Lazy(self._make_decoder)

    def _make_decoder(self, message: Message) -> Callable[[bytes], Any]:
        type = self._types.of(message)
        if type is msgspec.Raw:
            raise OddError
        return msgspec.json.Decoder(type).decode

    def read(self, message: Message, data: bytes) -> bytes:
        """Makes a message's bytes of its JSON; raises what `ODD` names."""
        struct = self._decoders[message](data)
        return self._encoders.of[message](struct)

    def usual(self, union: Message) -> Usual:
        """The functions for a union."""
        return self._decoders[union], self._encoders.members_of[union]


class Reader:
    """Reads events.

    Args:
        event: the union of all events.

    Attributes:
        usual: what reads the usual JSON of an event, in the spelling that came last; it raises what `ODD` names.

    """

    def __init__(self, event: Message) -> None:
        self._event = event
        self._learner = Learner()
        self._general = {naming: self._general_reader(naming) for naming in (None, *NAMINGS)}
        self._first: Naming = "snake_case"
        self._compile()

    def _general_reader(self, naming: Naming | None) -> GeneralReader:
        return GeneralReader(naming, lambda message, data: self._try(message, data, naming), self._sees)

    def _compile(self) -> None:
        learned = self._learner.learned
        self._compiled = {naming: _Compiled(self._event, naming, learned, self._read_raw) for naming in NAMINGS}
        self.usual: Usual = (_uncompiled, Members(_uncompiled))

    def read(self, data: str | bytes, naming: Naming | None, fallback_type: str | None = None) -> bytes:
        """Makes an event's bytes of any JSON.

        Args:
            data: one JSON object; bytes are UTF-8.
            naming: the only spelling that is read; None: either.
            fallback_type: the type of an unrecognized event without one.

        Raises:
            InvalidJSONError: `data` is not one JSON object.

        """
        data = utf8(data)
        event = self._try(self._event, data, naming)
        if event is not None:
            self.usual = self._compiled[self._first].usual(self._event)
            return event
        try:
            text = shallow(data.decode()).strip(" \t\r\n")
        except UnicodeDecodeError as error:
            raise InvalidJSONError("$", f"not UTF-8: {error.reason} at byte {error.start}") from None
        if not text.startswith("{"):
            raise InvalidJSONError(
                "$", f"expected a JSON object, got {text[:20]!r}" if text else "expected a JSON object"
            )
        return self._general[naming].union(self._event, text, "$", fallback_type)

    def _try(self, message: Message, data: bytes, naming: Naming | None) -> bytes | None:
        if MINUS in data and has_negative_zero(data):
            return None
        first = naming or self._first
        compiled = self._compiled
        try:
            return compiled[first].read(message, data)
        except ODD:
            if naming:
                return None
        other: Naming = "camelCase" if first == "snake_case" else "snake_case"
        try:
            read = compiled[other].read(message, data)
        except ODD:
            return None
        if message is self._event:
            self._first = other
        return read

    def _read_raw(self, message: Message, data: bytes) -> bytes:
        read = self._general[None].message(message, data.decode(), "$")
        if read is None:
            raise OddError
        return read

    def _sees(self, message: Message, name: str) -> None:
        with COMPILING:
            if self._learner.sees(message, name):
                self._compile()


def utf8(text: str | bytes) -> bytes:
    """Text as bytes; raises InvalidJSONError where it is not Unicode."""
    try:
        return text.encode() if isinstance(text, str) else bytes(text)
    except UnicodeEncodeError as error:
        raise InvalidJSONError("$", f"not Unicode text: {error.reason} at character {error.start}") from None


def _uncompiled(_: object) -> Any:
    """Stands for the functions until the first event: importing the module compiles nothing."""
    raise OddError
