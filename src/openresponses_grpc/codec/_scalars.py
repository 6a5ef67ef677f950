"""Numbers, lengths and JSON text, in both directions. Look-up tables take a third of the time of computing a value."""

from __future__ import annotations

import re
import struct
from math import isfinite
from typing import Any, Final

import msgspec
import rfc8785

from ._schema import varint

MAX_DEPTH: Final = 100
"""Maximum nesting depth of objects and arrays."""

_MAX_INTEGER: Final = 2**53
_DOUBLE: Final = struct.Struct("<d")
# `in` with an integer searches for one byte, many times faster than any other search.
MINUS: Final = ord("-")
LF, CR = b"\n\r"
_BEFORE_VALUE: Final = b":[, \t\r\n"
# Possessive quantifiers: without them, an unterminated string takes quadratic time.
_STRINGS_AND_BRACKETS: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)

encode_value: Final = msgspec.json.Encoder().encode


class FallbackError(Exception):
    """The compiled functions do not handle this input; the caller falls back to the slow path."""


class _Sizes(dict[int, bytes]):
    def __missing__(self, size: int) -> bytes:
        return bytes((size & 0x7F | 0x80, size >> 7)) if size < 1 << 14 else varint(size)


SIZES: Final = _Sizes((size, varint(size)) for size in range(1 << 10))
"""Lengths as varints."""


class _Doubles(dict[float, bytes]):
    def __missing__(self, number: float) -> bytes:
        if type(number) is int and not -_MAX_INTEGER <= number <= _MAX_INTEGER:
            raise FallbackError
        return _DOUBLE.pack(number)


DOUBLES: Final = _Doubles((number, _DOUBLE.pack(number)) for number in range(1 << 12))
"""JSON numbers as packed doubles. Loses the sign of zero. Raises FallbackError for integers beyond 2^53."""


class _Numbers(dict[bytes, bytes]):
    def __missing__(self, double: bytes) -> bytes:
        try:
            return number_text(*_DOUBLE.unpack(double))
        except (ValueError, struct.error):
            raise FallbackError from None


NUMBERS: Final = _Numbers((_DOUBLE.pack(number), b"%d" % number) for number in range(1 << 12))
"""Packed doubles as JSON numbers. Raises FallbackError for NaN, infinities and a wrong number of bytes."""


def number_text(value: float) -> bytes:
    """Formats a double like `JSON.stringify` (RFC 8785, section 3.2.2.3); raises ValueError for NaN and infinities."""
    if value.is_integer() and abs(value) <= _MAX_INTEGER:
        return b"%d" % int(value)
    if not isfinite(value):
        raise ValueError(f"JSON cannot represent the number {value}")
    # Down to 1e-4, msgspec formats fractions like ECMAScript. Below 1e-5 it switches to exponents too early.
    return encode_value(value) if 1e-4 <= abs(value) <= _MAX_INTEGER else rfc8785.dumps(value)


def double_of(token: str) -> bytes | None:
    """Packs a JSON number as a double; returns None if a double cannot hold it: an integer beyond 2^53, or 1e400."""
    if token.lstrip("-").isdigit() and (len(token) > 17 or abs(int(token)) > _MAX_INTEGER):
        return None
    value = float(token)
    if not isfinite(value):
        return None
    # Consistent with `DOUBLES`: a zero keeps its sign only if the token starts with -0.
    return _DOUBLE.pack(value or (0.0 if not token.startswith("-0") else value))


def raw_text(raw: Any) -> bytes:
    """Returns the text of a `msgspec.Raw` on one line; raises FallbackError if it may be nested too deeply."""
    text = bytes(raw)
    check_shallow(text)
    if not text.isascii():
        text.decode()
    return one_line(text)


def check_shallow(text: bytes) -> None:
    """Raises FallbackError if JSON may be nested too deeply."""
    # Each level takes at least two characters.
    if len(text) > MAX_DEPTH and text.count(b"[") + text.count(b"{") > MAX_DEPTH // 2:
        raise FallbackError


def one_line(text: bytes) -> bytes:
    """Replaces line ends in JSON with spaces. Line ends occur only between tokens, where both are white space."""
    return text.replace(b"\r", b" ").replace(b"\n", b" ") if LF in text or CR in text else text


def too_deep(text: str, allowed: int = MAX_DEPTH) -> bool:
    """Returns whether objects and arrays are nested more than `allowed` levels deep. The text need not be JSON."""
    if text.count("[") + text.count("{") <= allowed:
        return False
    depth = 0
    for match in _STRINGS_AND_BRACKETS.finditer(text):
        character = text[match.start()]
        depth += 1 if character in "[{" else -1 if character in "]}" else 0
        if depth > allowed:
            return True
    return False


def has_negative_zero(data: bytes) -> bool:
    """Returns whether a number may start with `-0`. msgspec drops the sign for `-0`, and `DOUBLES` for `-0.0`."""
    # Backwards: Python's rfind takes a third of the time of find.
    at = data.rfind(b"-0")
    while at > 0:
        if data[at - 1] in _BEFORE_VALUE:
            return True
        at = data.rfind(b"-0", 0, at)
    return False
