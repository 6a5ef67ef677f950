"""Splits JSON text into the texts of its members. Unlike msgspec, it accepts lone surrogates and locates errors.

It uses the scanner of Python's `json`, which is strict except for `NaN` and infinities; those are rejected here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]  # undocumented, and the same since Python 3.1
from typing import NoReturn

from ..errors import InvalidJSONError

_skip_space = re.compile(r"[ \t\n\r]*").match


def _reject(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON value")


# Keep numbers as text: Python refuses to convert integers with too many digits.
_scan = json.JSONDecoder(parse_constant=_reject, parse_int=str, parse_float=str).scan_once  # type: ignore[attr-defined]


def object_members(text: str, path: str) -> dict[str, str]:
    """Splits a JSON object into its names and the texts of their values. Of duplicate names, the last one wins.

    Raises:
        InvalidJSONError: `text` is not a single JSON object.

    """
    return {
        name: text[start:end] for name, start, end in _object_spans(text, _start(text, "{", path), path, whole=True)
    }


def array_elements(text: str, path: str) -> list[str]:
    """Splits a JSON array into the texts of its elements; raises InvalidJSONError if `text` is not one array."""
    return [text[start:end] for start, end in _array_spans(text, _start(text, "[", path), path, whole=True)]


def check_value(text: str, path: str) -> None:
    """Raises InvalidJSONError unless `text` is a single JSON value."""
    start = _space(text, 0)
    _finish(text, _value_end(text, start, path) - 1, path, whole=True)


def string_value(text: str) -> str:
    """Returns the value of a JSON string, including lone surrogates."""
    value: str = scanstring(text, 1, True)[0]
    return value


def _start(text: str, bracket: str, path: str) -> int:
    at = _space(text, 0)
    if not text.startswith(bracket, at):
        kind = "object" if bracket == "{" else "array"
        if at == len(text):
            raise InvalidJSONError(path, f"expected a JSON {kind}, got nothing")
        _value_end(text, at, path)
        raise InvalidJSONError(path, f"expected a JSON {kind}")
    return at


def _object_spans(text: str, at: int, path: str, *, whole: bool = False) -> Iterator[tuple[str, int, int]]:
    at = _space(text, at + 1)
    if text.startswith("}", at):
        return _finish(text, at, path, whole)
    while True:
        if not text.startswith('"', at):
            raise _syntax(text, at, path, "a property name in double quotes")
        try:
            name, at = scanstring(text, at + 1, True)
        except ValueError as error:
            raise InvalidJSONError(path, f"not JSON: {error}") from None
        at = _space(text, at)
        if not text.startswith(":", at):
            raise _syntax(text, at, path, "':'")
        start = _space(text, at + 1)
        end = _value_end(text, start, child_path(path, name))
        yield name, start, end
        at = _space(text, end)
        if text.startswith("}", at):
            return _finish(text, at, path, whole)
        if not text.startswith(",", at):
            raise _syntax(text, at, path, "',' or '}'")
        at = _space(text, at + 1)


def _array_spans(text: str, at: int, path: str, *, whole: bool = False) -> Iterator[tuple[int, int]]:
    at = _space(text, at + 1)
    if text.startswith("]", at):
        return _finish(text, at, path, whole)
    index = 0
    while True:
        end = _value_end(text, at, f"{path}[{index}]")
        yield at, end
        at = _space(text, end)
        if text.startswith("]", at):
            return _finish(text, at, path, whole)
        if not text.startswith(",", at):
            raise _syntax(text, at, path, "',' or ']'")
        at, index = _space(text, at + 1), index + 1


def _value_end(text: str, at: int, path: str) -> int:
    try:
        end: int = _scan(text, at)[1]
        return end
    except (StopIteration, ValueError) as error:
        # The error is somewhere in the value: descend to the innermost element that contains it.
        if text.startswith("{", at):
            list(_object_spans(text, at, path))
        elif text.startswith("[", at):
            list(_array_spans(text, at, path))
        if isinstance(error, StopIteration):
            raise _syntax(text, at, path, "a JSON value") from None
        raise InvalidJSONError(path, f"not JSON: {error}") from None


def _finish(text: str, at: int, path: str, whole: bool) -> None:
    if whole and (at := _space(text, at + 1)) != len(text):
        raise InvalidJSONError(path, f"expected the end of the input, got {text[at : at + 20]!r} at character {at}")


def _space(text: str, at: int) -> int:
    match = _skip_space(text, at)
    assert match is not None
    return match.end()


def _syntax(text: str, at: int, path: str, expected: str) -> InvalidJSONError:
    found = repr(text[at : at + 20]) if at < len(text) else "the end of the input"
    return InvalidJSONError(path, f"not JSON: expected {expected}, got {found} at character {at}")


def child_path(path: str, name: str) -> str:
    """Returns the JSONPath of a property (RFC 9535). Names that are not identifiers are written in brackets."""
    return f"{path}.{name}" if name.isidentifier() else f"{path}[{json.dumps(name)}]"
