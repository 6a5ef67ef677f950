"""Converts JSON to serialized events, with the compiled functions if possible, else with the general reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from ..errors import InvalidJSONError
from ._encode import Encoders, Members
from ._extras import check_depth
from ._general import GeneralReader
from ._scalars import MINUS, FallbackError, has_negative_zero
from ._schema import NAMINGS, Message, Naming
from ._source import COMPILING, Lazy
from ._structs import Learned, Learner, Types

FALLBACK_ERRORS: Final = (msgspec.DecodeError, FallbackError, UnicodeError, RecursionError)
"""Errors of the compiled functions for JSON that they do not handle."""


FastPath = tuple[Callable[[bytes], Any], Members]
"""The parser of a union's JSON, and the encoders of the result."""


class _Compiled:
    """The compiled functions of one naming, for the unknown names learned so far."""

    def __init__(
        self, event: Message, naming: Naming, learned: Learned, general: Callable[[Message, bytes], bytes]
    ) -> None:
        self._types = Types(event, naming, learned)
        self._encoders = Encoders(self._types, learned, general)
        self._decoders = Lazy(self._make_decoder)

    def _make_decoder(self, message: Message) -> Callable[[bytes], Any]:
        type = self._types.of(message)
        if type is msgspec.Raw:
            raise FallbackError
        return msgspec.json.Decoder(type).decode

    def read(self, message: Message, data: bytes) -> bytes:
        """Serializes a message from its JSON; raises one of `FALLBACK_ERRORS` if it cannot."""
        struct = self._decoders[message](data)
        return self._encoders.of[message](struct)

    def fast_path(self, union: Message) -> FastPath:
        """Returns the functions for a union."""
        return self._decoders[union], self._encoders.members_of[union]


class Reader:
    """Converts JSON to serialized events.

    Args:
        event: the union of all events.

    Attributes:
        fast_path: functions for events in the spelling seen last; they raise one of `FALLBACK_ERRORS`.

    """

    def __init__(self, event: Message) -> None:
        self._event = event
        self._learner = Learner()
        self._general = {naming: self._general_reader(naming) for naming in (None, *NAMINGS)}
        self._last_naming: Naming = "snake_case"
        self._compile()

    def _general_reader(self, naming: Naming | None) -> GeneralReader:
        return GeneralReader(naming, lambda message, data: self._try(message, data, naming), self._observe)

    def _compile(self) -> None:
        learned = self._learner.learned
        self._compiled = {naming: _Compiled(self._event, naming, learned, self._read_raw) for naming in NAMINGS}
        self.fast_path: FastPath = (_uncompiled, Members(_uncompiled))

    def read(self, data: str | bytes, naming: Naming | None, fallback_type: str | None = None) -> bytes:
        """Converts any JSON object to a serialized event.

        Args:
            data: a JSON object; bytes must be UTF-8.
            naming: the only spelling to accept; None accepts both.
            fallback_type: type of an unrecognized event without one.

        Raises:
            InvalidJSONError: `data` is not a single JSON object.

        """
        data = utf8(data)
        event = self._try(self._event, data, naming)
        if event is not None:
            self.fast_path = self._compiled[self._last_naming].fast_path(self._event)
            return event
        try:
            text = check_depth(data.decode()).strip(" \t\r\n")
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
        first = naming or self._last_naming
        compiled = self._compiled
        try:
            return compiled[first].read(message, data)
        except FALLBACK_ERRORS:
            if naming:
                return None
        other: Naming = "camelCase" if first == "snake_case" else "snake_case"
        try:
            read = compiled[other].read(message, data)
        except FALLBACK_ERRORS:
            return None
        if message is self._event:
            self._last_naming = other
        return read

    def _read_raw(self, message: Message, data: bytes) -> bytes:
        read = self._general[None].message(message, data.decode(), "$")
        if read is None:
            raise FallbackError
        return read

    def _observe(self, message: Message, name: str) -> None:
        with COMPILING:
            if self._learner.observe(message, name):
                self._compile()


def utf8(text: str | bytes) -> bytes:
    """Encodes text as UTF-8; raises InvalidJSONError for lone surrogates."""
    try:
        return text.encode() if isinstance(text, str) else bytes(text)
    except UnicodeEncodeError as error:
        raise InvalidJSONError("$", f"not Unicode text: {error.reason} at character {error.start}") from None


def _uncompiled(_: object) -> Any:
    """Placeholder until the first event, so that importing the module compiles nothing."""
    raise FallbackError
