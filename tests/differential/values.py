"""JSON texts of single values."""

from __future__ import annotations

import json
import struct
from random import Random

from . import edges
from .doubles import number


def string(random: Random) -> str:
    """Any JSON string without lone surrogates."""
    if random.random() < 0.4:
        return json.dumps(random.choice(edges.STRINGS), ensure_ascii=random.random() < 0.5)
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
    """A character, escaped or, if JSON allows it, not."""
    if random.random() < 0.5 and code >= 0x20 and chr(code) not in '"\\':
        return chr(code)
    units = struct.unpack(">" + "H" * (1 if code < 0x10000 else 2), chr(code).encode("utf-16-be"))
    return "".join(f"\\u{unit:04{random.choice('xX')}}" for unit in units)


PIECES = (plain, short_escape, control, basic, astral)


def name(random: Random) -> str:
    """The name of a property."""
    return json.dumps(random.choice(edges.NAMES)) if random.random() < 0.7 else string(random)


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
    """A value nested in this many arrays and objects."""
    opening = random.choices(("[", '{"a":', "[0,"), k=levels)
    closing = "".join("}" if opened[0] == "{" else "]" for opened in reversed(opening))
    return f"{''.join(opening)}{random.choice(('1', '[]'))}{closing}"


def white(random: Random) -> str:
    """JSON white space, mostly none."""
    return "".join(random.choices(" \t\n\r", k=random.randrange(1, 4))) if random.random() < 0.2 else ""
