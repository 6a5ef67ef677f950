"""Numbers as ECMAScript writes them: `JSON.stringify`, which RFC 8785 (section 3.2.2.3) takes over."""

from __future__ import annotations

import math
from typing import Final

import msgspec
import rfc8785

MAX_SAFE_INTEGER: Final = 2**53 - 1
"""The largest integer up to which all integers are doubles (`Number.MAX_SAFE_INTEGER`)."""

WHOLE_NUMBERS: Final = {float(number): number for number in range(1024)}
"""The integers that doubles stand for which are indexes and counts: a look-up takes a third of a conversion."""

# Down to here msgspec writes a double with a fraction as ECMAScript does. Below 1e-5 it turns to exponents too early.
_MIN_PLAIN_FRACTION: Final = 1e-4


def json_number(value: float) -> int | float | msgspec.Raw:
    """The object that `msgspec.json.encode` writes as `JSON.stringify` writes the double `value`.

    Raises:
        ValueError: `value` is NaN or infinite, which JSON has no number for.

    """
    if _MIN_PLAIN_FRACTION <= abs(value) <= MAX_SAFE_INTEGER:
        return int(value) if value.is_integer() else value
    if value == 0:
        return 0
    if not math.isfinite(value):
        raise ValueError(f"{value} is no JSON number")
    return msgspec.Raw(rfc8785.dumps(value))


class _JSONNumbers(dict[float, int | float | msgspec.Raw]):
    """What `json_number` makes of doubles, for look-ups of many."""

    def __missing__(self, value: float) -> int | float | msgspec.Raw:
        # The usual fractions are what they are, which is seen sooner than json_number is called.
        return value if 1 < value < 1e9 and value % 1 else json_number(value)


JSON_NUMBERS: Final = _JSONNumbers(WHOLE_NUMBERS)
