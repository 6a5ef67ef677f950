"""Other spellings of an event's text, and ways to spoil the text itself."""

from __future__ import annotations

import json
from random import Random

from . import values
from .tree import Object, Tree, spots


def respell(random: Random, tree: Tree) -> None:
    """Changes the order of properties, and escapes in names and strings, without a change of meaning."""
    objects = [tree, *(spot.value for spot in spots(tree))]
    for value in objects:
        if isinstance(value, Object) and random.random() < 0.3:
            shuffle(random, value)
        if isinstance(value, Object) and random.random() < 0.2:
            value.properties[:] = [(escaped(random, name), one) for name, one in value.properties]
    for spot in spots(tree):
        if isinstance(spot.value, str) and random.random() < 0.1:
            spot.replace(escaped(random, spot.value))


def shuffle(random: Random, value: Object) -> None:
    """Shuffles the properties, unless there are duplicate names."""
    names = [name for name, _ in value.properties]
    if len(set(names)) == len(names):
        random.shuffle(value.properties)


def escaped(random: Random, text: str) -> str:
    """Escapes characters of a JSON string; returns other text unchanged."""
    if len(text) < 2 or text[0] != '"' or "\\" in text or not is_unicode(text):
        return text
    return f'"{"".join(values.character(random, ord(letter)) for letter in text[1:-1])}"'


def is_unicode(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def spoil_text(random: Random, text: str) -> str:
    return random.choice(SPOILING)(random, text)


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
