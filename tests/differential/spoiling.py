"""Ways to spoil an event's text."""

from __future__ import annotations

import json
from random import Random

from . import values


def text_after(random: Random, text: str) -> str:
    return text + random.choice((text, "x", ",", "}", "]", "null", "\0", "\u00a0", "\ufeff", "\v", "//", "\n{}"))


def text_before(random: Random, text: str) -> str:
    return random.choice(("\ufeff", "\u00a0", "\f", "\0", "[", "x", ",", "data: ", "\u2028")) + text


def cut_short(random: Random, text: str) -> str:
    return text[: random.randrange(len(text))]


def one_character_off(random: Random, text: str) -> str:
    at = random.randrange(len(text))
    other: str = random.choice(("", *'"\\{}[]:,0-.e \n\0\u2028'))
    return text[:at] + other + text[at + random.randrange(2) :]


def no_object(random: Random, text: str) -> str:
    return random.choice((values.value(random), f"[{text}]", "", json.dumps(text)))


def single_quotes(random: Random, text: str) -> str:
    return text.replace('"', "'")


SPOILING = (text_after, text_before, cut_short, one_character_off, no_object, single_quotes)
