"""JSON texts of single values, at the edges of what JSON, ECMAScript and IEEE doubles tell apart."""

from __future__ import annotations

import json
import math
import struct
from decimal import Context, Decimal
from random import Random

EDGE_NUMBERS = [
    "0",
    "-0",
    "0.0",
    "-0.0",
    "0e0",
    "-0e5",
    "0E-400",
    "-0.0e+7",
    "0e400",
    "1",
    "-1",
    "1.0",
    "100e-2",
    "7977.54",
    "3469.55",
    "0.1",
    "0.30000000000000004",
    "12.50",
    "1E5",
    "1e+5",
    "1e-05",
    "1e5",
    "1e00",
    "1e21",
    "1e20",
    "1e22",
    "-1e21",
    "999999999999999900000",
    "999999999999999999999",
    "430062733776899800000",
    "123456789012345678901",
    "1e-6",
    "1e-7",
    "0.000001",
    "0.0000001",
    "9.999999999999999e-7",
    "0.00001",
    "0.0001",
    "1e16",
    "1e17",
    "12345678901234567",
    "0.12345678901234567",
    "9007199254740991",
    "9007199254740992",
    "9007199254740993",
    "-9007199254740993",
    "9007199254740993.0",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "5e-324",
    "-5e-324",
    "4.9406564584124654e-324",
    "3e-324",
    "2.4703282292062328e-324",
    "2.4703282292062327e-324",
    "2e-324",
    "1e-400",
    "-1e-400",
    "2.2250738585072014e-308",
    "2.2250738585072011e-308",
    "2.225073858507201e-308",
    "1e308",
    "1.7976931348623157e308",
    "1e309",
    "1e400",
    "-1e400",
    "1.7976931348623158e308",
    "1.7976931348623159e308",
    "-1.7976931348623159e308",
    "179769313486231580793e289",
    "1e4294967296",
    "1e-4294967296",
    "1e18446744073709551616",
    "0e18446744073709551616",
]

EDGE_STRINGS = [
    "",
    "<id>",
    "ig_0123456789abcdef",
    "null",
    "1",
    '{"type":"x"}',
    "\u2028\u2029",
    "\ufeff",
    "\uffff",
    "\x7f\x80",
]
NAMES = [
    "",
    " ",
    "0",
    "10",
    "__proto__",
    "constructor",
    "toString",
    "toJSON",
    "hasOwnProperty",
    "size",
    "quality",
    "\0",
    "é",
]
LONE_SURROGATES = [
    "\\ud800",
    "\\uDFFF",
    "\\udc00\\ud800",
    "\\uD83Dx",
    "\\ud83d\\n",
    "\\ud83d\\ud83d\\ude00",
    "\ud800",
    "\udc00",
]
NO_VALUES = ["NaN", "Infinity", "-Infinity", "nan", "undefined", "None", "True", "nul", "nulll", "tru", "01", "-01", "00", "+1", ".5", "-.5", "1.", "1.e5", "1e", "1e+", "-", "--", "1_000", "0x10", "1n", "١", "1,2", "'1'", '"\\x41"', '"\\u12g4"', '"\\u12"', "\"\\'", '"', '"\\"', '"a', '1"', '"a"b"', "[1,]", "[,1]", "[1", "2]", '{"a"}', '{"a":}', '{"a":1,}', "{a:1}", "{1:1}", "[", "{", "]", "}", "/**/1", "1//"] + ['"\n"', '"\t"', '"\0"', '"\x1f"', "", " ", '"a" "b"', "\u00a01", "\v1", "\f1", "\u20281", "\ufeff1"]  # fmt: skip


def number(random: Random) -> str:
    """Any JSON number."""
    return random.choice(
        (
            edge,
            edge,
            short,
            any_double,
            seventeen_digits,
            near_power_of_two,
            where_notation_changes,
            halfway,
            many_digits,
        )
    )(random)


def edge(random: Random) -> str:
    return random.choice(EDGE_NUMBERS)


def short(random: Random) -> str:
    return repr(random.randrange(-(10**5), 10**5) / 10 ** random.randrange(8))


def any_double(random: Random) -> str:
    """Any bit pattern that is a number: half of them beyond 1e150 or below 1e-150."""
    value: float = struct.unpack("d", random.randbytes(8))[0]
    return repr(value) if math.isfinite(value) else "-0.0"


def seventeen_digits(random: Random) -> str:
    value = random.uniform(-1, 1) * 10.0 ** random.randrange(-30, 30)
    return format(value, random.choice((".17g", ".16e", ".15e", ".16E", ".18e", ".25f")))


def near_power_of_two(random: Random) -> str:
    return str(random.choice((1, -1)) * (2 ** random.randrange(80) + random.randrange(-3, 4)))


def where_notation_changes(random: Random) -> str:
    """The doubles around a power of ten, at some of which ECMAScript, and at others Python, turns to exponents."""
    value = 10.0 ** random.choice((-7, -6, -5, -4, 15, 16, 17, 20, 21, 22))
    for _ in range(random.randrange(4)):
        value = math.nextafter(value, random.choice((0, math.inf)))
    return format(value, random.choice(("", ".17g", "f")))


def halfway(random: Random) -> str:
    """The exact middle of two neighbours, where the last of up to 770 digits decides which one it is read as."""
    low = abs(struct.unpack("d", random.randbytes(8))[0]) if random.random() < 0.3 else random.uniform(0, 2**60)
    high = math.nextafter(low, math.inf)
    if not math.isfinite(high):
        return "1e308"
    context = Context(prec=1100)
    middle = context.divide(context.add(Decimal(low), Decimal(high)), Decimal(2))
    sign, digits, exponent = middle.as_tuple()
    return f"{''.join(map(str, digits))}{random.choice(('', '', '0', '1'))}e{exponent}"


def many_digits(random: Random) -> str:
    digits = "".join(random.choices("0123456789", k=random.choice((18, 19, 20, 21, 40, 308, 309, 310, 400, 5000))))
    return random.choice(("", "-")) + random.choice(
        (f"{random.randrange(1, 10)}{digits}", f"0.{digits}", f"1.{digits}e-3")
    )


def string(random: Random) -> str:
    """Any JSON string that is Unicode text."""
    if random.random() < 0.4:
        return json.dumps(random.choice(EDGE_STRINGS), ensure_ascii=random.random() < 0.5)
    pieces = 300 if random.random() < 0.01 else random.randrange(7)
    return f'"{"".join([random.choice(PIECES)(random) for _ in range(pieces)])}"'


def plain(random: Random) -> str:
    return random.choice(("id", "Az09_- ", "<>&/='"))


def short_escape(random: Random) -> str:
    return "\\" + random.choice('"\\/bfnrt')


def control(random: Random) -> str:
    return character(random, random.randrange(0x20))


def basic(random: Random) -> str:
    return character(random, random.choice((random.randrange(0xD800), random.randrange(0x100))))


def astral(random: Random) -> str:
    return character(random, random.randrange(0x10000, 0x110000))


def character(random: Random, code: int) -> str:
    """A character as it is where JSON allows that, or as its escape."""
    if random.random() < 0.5 and code >= 0x20 and chr(code) not in '"\\':
        return chr(code)
    units = struct.unpack(">" + "H" * (1 if code < 0x10000 else 2), chr(code).encode("utf-16-be"))
    return "".join(f"\\u{unit:04{random.choice('xX')}}" for unit in units)


PIECES = (plain, short_escape, control, basic, astral)


def name(random: Random) -> str:
    """The name of some property."""
    return json.dumps(random.choice(NAMES)) if random.random() < 0.7 else string(random)


def value(random: Random, levels: int = 3) -> str:
    """Any JSON value."""
    kind = random.choice(("word", "number", "string", "array", "object"))
    if kind == "number" or (levels == 0 and kind == "array"):
        return number(random)
    if kind == "string" or (levels == 0 and kind == "object"):
        return string(random)
    if kind == "word":
        return random.choice(("null", "true", "false"))
    values = [value(random, levels - 1) for _ in range(random.randrange(4))]
    if kind == "array":
        return f"[{','.join(values)}]"
    return f"{{{','.join(f'{name(random)}:{text}' for text in values)}}}"


def nested(random: Random, levels: int) -> str:
    """A value nested in so many arrays and objects."""
    opening = random.choices(("[", '{"a":', "[0,"), k=levels)
    closing = "".join("}" if opened[0] == "{" else "]" for opened in reversed(opening))
    return f"{''.join(opening)}{random.choice(('1', '[]'))}{closing}"


def white(random: Random) -> str:
    """White space that JSON allows, mostly none."""
    return "".join(random.choices(" \t\n\r", k=random.randrange(1, 4))) if random.random() < 0.2 else ""
