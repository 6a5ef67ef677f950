"""Parses sizes with units, such as `256MiB`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

SIZES: Final[Mapping[str, int]] = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 1 << 10,
    "MiB": 1 << 20,
    "GiB": 1 << 30,
    "TiB": 1 << 40,
}
_BY_LOWER_CASE: Final = {unit.lower(): size for unit, size in SIZES.items()} | {"": 1}
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)", re.ASCII | re.IGNORECASE)


def parse_size(text: str) -> int:
    """Returns the bytes of a size such as `256MiB` or `1.5GB`, at least 1; the default unit is bytes.

    Raises:
        ValueError: the text is not a size.

    """
    match = _SIZE.fullmatch(text.strip())
    if match is None or match[2].lower() not in _BY_LOWER_CASE:
        raise ValueError(f"{text!r} is not a size: give a number of bytes, or a number with {listed(SIZES)}")
    unit = _BY_LOWER_CASE[match[2].lower()]
    value = int(match[1]) * unit if match[1].isdigit() else int(float(match[1]) * unit)
    if value < 1:
        raise ValueError(f"{text!r} is less than 1 byte")
    return value


def listed(units: Mapping[str, float]) -> str:
    """Joins the names of units with commas and "or"."""
    *others, last = units
    return f"{', '.join(others)} or {last}"
