"""Numbers, lengths and JSON text, in both directions. Look-ups take a third of a computation."""

from __future__ import annotations

import re
import struct
from math import isfinite
from typing import Any, Final

import msgspec
import rfc8785

from ._schema import varint

MAX_DEPTH: Final = 100
"""How deeply objects and arrays may be nested."""

_MAX_INTEGER: Final = 2**53
_DOUBLE: Final = struct.Struct("<d")
# A search for one byte, given as an integer, is many times as fast as any other.
MINUS: Final = ord("-")
LF, CR = b"\n\r"
_BEFORE_VALUE: Final = b":[, \t\r\n"
# Possessive: an unterminated string must not make the search start again at each of its characters.
_STRINGS_AND_BRACKETS: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)

encode_value: Final = msgspec.json.Encoder().encode


class OddError(Exception):
    """The compiled functions do not handle this input: the general ones have to."""


class _Sizes(dict[int, bytes]):
    def __missing__(self, size: int) -> bytes:
        return bytes((size & 0x7F | 0x80, size >> 7)) if size < 1 << 14 else varint(size)


SIZES: Final = _Sizes((size, varint(size)) for size in range(1 << 10))
"""Lengths as varints."""


class _Doubles(dict[float, bytes]):
    def __missing__(self, number: float) -> bytes:
        if type(number) is int and not -_MAX_INTEGER <= number <= _MAX_INTEGER:
            raise OddError
        return _DOUBLE.pack(number)


DOUBLES: Final = _Doubles((number, _DOUBLE.pack(number)) for number in range(1 << 12))
"""JSON numbers as doubles; the sign of a zero is lost. Raises OddError for an integer beyond 2^53."""


class _Numbers(dict[bytes, bytes]):
    def __missing__(self, double: bytes) -> bytes:
        try:
            return number_text(*_DOUBLE.unpack(double))
        except (ValueError, struct.error):
            raise OddError from None


NUMBERS: Final = _Numbers((_DOUBLE.pack(number), b"%d" % number) for number in range(1 << 12))
"""Doubles as JSON numbers. Raises OddError for NaN, infinities and a wrong number of bytes."""


def number_text(value: float) -> bytes:
    """A double as `JSON.stringify` prints it (RFC 8785, section 3.2.2.3); raises ValueError for NaN and infinities."""
    if value.is_integer() and abs(value) <= _MAX_INTEGER:
        return b"%d" % int(value)
    if not isfinite(value):
        raise ValueError(f"JSON has no number for {value}")
    # Down to 1e-4, msgspec prints a fraction as ECMAScript does. Below 1e-5 it switches to exponents too early.
    return encode_value(value) if 1e-4 <= abs(value) <= _MAX_INTEGER else rfc8785.dumps(value)


def double_of(token: str) -> bytes | None:
    """The double that a JSON number is; None if a double cannot hold it: an integer beyond 2^53, or 1e400."""
    if token.lstrip("-").isdigit() and (len(token) > 17 or abs(int(token)) > _MAX_INTEGER):
        return None
    value = float(token)
    if not isfinite(value):
        return None
    # As `DOUBLES` does: a zero has a sign only if it is written as one.
    return _DOUBLE.pack(value or (0.0 if not token.startswith("-0") else value))


def raw_text(raw: Any) -> bytes:
    """The text of a `msgspec.Raw` on one line; raises OddError where it may be nested deeply."""
    text = bytes(raw)
    check_shallow(text)
    if not text.isascii():
        text.decode()
    return one_line(text)


def check_shallow(text: bytes) -> None:
    """Raises OddError where JSON may be nested deeply."""
    # Each level takes two characters.
    if len(text) > MAX_DEPTH and text.count(b"[") + text.count(b"{") > MAX_DEPTH // 2:
        raise OddError


def one_line(text: bytes) -> bytes:
    """JSON without line ends. They stand between tokens only, where a space means the same."""
    return text.replace(b"\r", b" ").replace(b"\n", b" ") if LF in text or CR in text else text


def too_deep(text: str, allowed: int = MAX_DEPTH) -> bool:
    """Whether objects and arrays are nested more than `allowed` levels deep; the text need not be JSON."""
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
    """Whether a number may begin with `-0`: msgspec drops the sign of an integer, and `DOUBLES` that of a fraction."""
    # Backwards, as Python's search from the end takes a third of the time.
    at = data.rfind(b"-0")
    while at > 0:
        if data[at - 1] in _BEFORE_VALUE:
            return True
        at = data.rfind(b"-0", 0, at)
    return False
