"""JSON parsed with the standard library: numbers keep their tokens, and objects the text of their members."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, Final, NoReturn

LARGEST_INTEGER: Final = 2**53


class Number:
    """A number with its token. Two are equal if `JSON.parse` reads the same double without a loss of digits."""

    def __init__(self, token: str) -> None:
        self.token = token

    @property
    def fits(self) -> bool:
        """Whether a double can hold the number."""
        if self.is_integer:
            return len(self.token) < 18 and abs(int(self.token)) <= LARGEST_INTEGER
        return isfinite(float(self.token))

    @property
    def is_integer(self) -> bool:
        return self.token.lstrip("-").isdigit()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Number):
            return NotImplemented
        exact = not self.fits and not other.fits
        return self.token == other.token if exact else float(self.token) == float(other.token)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return self.token


def _reject(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_decoder: Final = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=_reject)


def parse(text: str | bytes) -> Any:
    """Parses JSON text like `json.loads`, but with a `Number` for each number."""
    return _decoder.decode(text.decode() if isinstance(text, bytes) else text)


def members(text: str) -> dict[str, str]:
    """The text of each member of an object, without surrounding white space; the last duplicate wins."""
    texts: dict[str, str] = {}
    at = _after_space(text, _after_space(text, 0) + 1)
    while text[at] != "}":
        name, at = _decoder.raw_decode(text, at)
        start = _after_space(text, _after_space(text, at) + 1)
        texts[name], at = _value(text, start)
    return texts


def elements(text: str) -> list[str]:
    """The text of each element of an array, without surrounding white space."""
    texts = []
    at = _after_space(text, _after_space(text, 0) + 1)
    while text[at] != "]":
        element, at = _value(text, at)
        texts.append(element)
    return texts


def is_unicode(text: str) -> bool:
    """Whether a string contains no lone surrogate."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def one_line(text: str) -> str:
    """The text with each line end between tokens replaced by a space."""
    return text.replace("\r", " ").replace("\n", " ")


def _value(text: str, start: int) -> tuple[str, int]:
    """The text of the value at an index, and the index of the next value or of the container's end."""
    end = _decoder.raw_decode(text, start)[1]
    at = _after_space(text, end)
    return text[start:end], _after_space(text, at + 1) if text[at] == "," else at


def _after_space(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at
