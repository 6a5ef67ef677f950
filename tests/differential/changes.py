"""Ways to spell an event otherwise, and to break one."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

from google.protobuf.descriptor import FieldDescriptor

from . import values
from .events import EVENT_TYPES, EventType

Properties = list[tuple[str, str]]
"""The names and values of an object in their order, each as JSON text, so that both can be spelled in any way."""

VALUES: dict[int, Callable[[Random], str]] = {
    FieldDescriptor.TYPE_STRING: values.string,
    FieldDescriptor.TYPE_DOUBLE: values.number,
    FieldDescriptor.TYPE_BOOL: lambda random: random.choice(("true", "false")),
}


def pick(random: Random, properties: Properties) -> int:
    """The place of one property; there may be none after two were dropped from an event with one field."""
    if not properties:
        properties.append(('"type"', "null"))
    return random.randrange(len(properties))


def insert(random: Random, properties: Properties, name: str, text: str) -> None:
    properties.insert(random.randrange(len(properties) + 1), (name, text))


def other_order(random: Random, event: EventType, properties: Properties) -> None:
    random.shuffle(properties)


def escaped_name(random: Random, event: EventType, properties: Properties) -> None:
    at = pick(random, properties)
    name, text = properties[at]
    if "\\" not in name:
        escaped = "".join(values.character(random, ord(letter)) for letter in name[1:-1])
        properties[at] = (f'"{escaped}"', text)


def escaped_type(random: Random, event: EventType, properties: Properties) -> None:
    escaped = "".join(values.character(random, ord(letter)) for letter in event.type)
    properties[:] = [(name, f'"{escaped}"' if name == '"type"' else text) for name, text in properties]


def extra(random: Random, event: EventType, properties: Properties) -> None:
    insert(random, properties, values.name(random), values.value(random))


def nested_extra(random: Random, event: EventType, properties: Properties) -> None:
    insert(random, properties, '"nested"', values.nested(random, random.choice((1, 2, 3, 5, 10, 150))))


def overwritten(random: Random, event: EventType, properties: Properties) -> None:
    """A duplicate that does not count, because the property comes again."""
    at = pick(random, properties)
    properties.insert(random.randrange(at + 1), (properties[at][0], values.value(random, 1)))


def duplicate(random: Random, event: EventType, properties: Properties) -> None:
    """A duplicate that may be the one that counts."""
    insert(random, properties, properties[pick(random, properties)][0], values.value(random, 1))


def missing(random: Random, event: EventType, properties: Properties) -> None:
    del properties[pick(random, properties)]


def null(random: Random, event: EventType, properties: Properties) -> None:
    replace(random, properties, "null")


def any_type(random: Random, event: EventType, properties: Properties) -> None:
    replace(random, properties, values.value(random))


def almost_a_number(random: Random, event: EventType, properties: Properties) -> None:
    likes = """true false "1" "\\t7.5\\n" "1_0" "nan" "-inf" "1e400" "0x1" "" [1] [] 1e400 NaN""".split()
    replace(random, properties, random.choice((*likes, f'"{values.number(random)}"')))


def no_value(random: Random, event: EventType, properties: Properties) -> None:
    replace(random, properties, random.choice(values.NO_VALUES))


def replace(random: Random, properties: Properties, text: str) -> None:
    at = pick(random, properties)
    properties[at] = (properties[at][0], text)


def both_spellings(random: Random, event: EventType, properties: Properties) -> None:
    field = random.choice(event.fields)
    insert(random, properties, json.dumps(field.json_name), random.choice((VALUES[field.type], values.value))(random))


def other_spelling(random: Random, event: EventType, properties: Properties) -> None:
    at = pick(random, properties)
    name, text = properties[at]
    others = [json.dumps(field.json_name) for field in event.fields if json.dumps(field.name) == name]
    properties[at] = (random.choice((*others, name.upper(), name.title(), f'" {name[1:]}', f'{name[:-1]}s"')), text)


def other_type(random: Random, event: EventType, properties: Properties) -> None:
    types = (
        *(other.type for other in EVENT_TYPES.values()),
        "",
        "response.created",
        event.type.upper(),
        event.type + " ",
    )
    insert(random, properties, '"type"', json.dumps(random.choice(types)))


def lone_surrogate(random: Random, event: EventType, properties: Properties) -> None:
    text = f'"{random.choice(("", "a"))}{random.choice(values.LONE_SURROGATES)}"'
    if random.random() < 0.5:
        replace(random, properties, text)
    else:
        insert(random, properties, *random.choice(((text, "1"), ('"extra"', text), ('"item_id"', text))))


def nested_deeply(random: Random, event: EventType, properties: Properties) -> None:
    if random.random() < 0.1:  # not more often: these texts are long
        insert(random, properties, '"nested"', values.nested(random, random.choice((201, 201, 400, 400, 2000, 20_000))))


def text_after(random: Random, text: str) -> str:
    return text + random.choice((text, "x", ",", "}", "]", "null", "\0", "\u00a0", "\ufeff", "\v", "//", "\n{}"))


def text_before(random: Random, text: str) -> str:
    return random.choice(("\ufeff", "\u00a0", "\f", "\0", "[", "x", ",", "data: ", "\u2028")) + text


def cut_short(random: Random, text: str) -> str:
    return text[: random.randrange(len(text))]


def one_character_off(random: Random, text: str) -> str:
    at = random.randrange(len(text))
    return text[:at] + random.choice(("", *'"\\{}[]:,0-.e \n\0\u2028')) + text[at + random.randrange(2) :]


def no_object(random: Random, text: str) -> str:
    return random.choice((values.value(random), f"[{text}]", "", json.dumps(text)))


def single_quotes(random: Random, text: str) -> str:
    return text.replace('"', "'")


HARMLESS = (other_order, escaped_name, escaped_type, extra, extra, nested_extra, overwritten)
BREAKING = (
    duplicate, missing, null, any_type, almost_a_number, no_value, both_spellings, other_spelling, other_type,
    lone_surrogate, nested_deeply,
)  # fmt: skip
SPOILING = (text_after, text_before, cut_short, one_character_off, no_object, single_quotes)
