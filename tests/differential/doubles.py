"""JSON numbers, many of them edge cases of JSON, ECMAScript and IEEE doubles."""

from __future__ import annotations

import math
import struct
from decimal import Context, Decimal
from random import Random

from . import edges


def number(random: Random) -> str:
    """Any JSON number."""
    return random.choice(MAKERS)(random)


def finite(random: Random) -> str:
    """A JSON number that a double can hold."""
    text = number(random)
    return text if math.isfinite(float(text)) else "1e308"


def edge(random: Random) -> str:
    return random.choice(edges.NUMBERS)


def short(random: Random) -> str:
    return repr(random.randrange(-(10**5), 10**5) / 10 ** random.randrange(8))


def any_double(random: Random) -> str:
    """Any finite bit pattern: half of them are beyond 1e150 or below 1e-150."""
    value: float = struct.unpack("d", random.randbytes(8))[0]
    return repr(value) if math.isfinite(value) else "-0.0"


def seventeen_digits(random: Random) -> str:
    value = random.uniform(-1, 1) * 10.0 ** random.randrange(-30, 30)
    return format(value, random.choice((".17g", ".16e", ".15e", ".16E", ".18e", ".25f")))


def near_power_of_two(random: Random) -> str:
    return str(random.choice((1, -1)) * (2 ** random.randrange(80) + random.randrange(-3, 4)))


def where_notation_changes(random: Random) -> str:
    """Doubles around the powers of ten at which ECMAScript or Python switches to exponents."""
    value = 10.0 ** random.choice((-7, -6, -5, -4, 15, 16, 17, 20, 21, 22))
    for _ in range(random.randrange(4)):
        value = math.nextafter(value, random.choice((0, math.inf)))
    return format(value, random.choice(("", ".17g", "f")))


def halfway(random: Random) -> str:
    """The exact middle of two adjacent doubles: the last of up to 770 digits decides the rounding."""
    low = abs(struct.unpack("d", random.randbytes(8))[0]) if random.random() < 0.3 else random.uniform(0, 2**60)
    high = math.nextafter(low, math.inf)
    if not math.isfinite(high):
        return "1e308"
    context = Context(prec=1100)
    middle = context.divide(context.add(Decimal(low), Decimal(high)), Decimal(2)).as_tuple()
    return f"{''.join(map(str, middle.digits))}{random.choice(('', '', '.0', '.1'))}e{middle.exponent}"


def many_digits(random: Random) -> str:
    digits = "".join(random.choices("0123456789", k=random.choice((18, 19, 20, 21, 40, 308, 309, 310, 400, 5000))))
    written = (f"{random.randrange(1, 10)}{digits}", f"0.{digits}", f"1.{digits}e-3")
    return random.choice(("", "-")) + random.choice(written)


MAKERS = (
    edge, edge, short, any_double, seventeen_digits, near_power_of_two, where_notation_changes, halfway, many_digits,
)  # fmt: skip
