"""Ways to spell an event otherwise, and to break one."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

from google.protobuf.descriptor import FieldDescriptor

from . import edges, values
from .doubles import number
from .events import EVENT_TYPES, EventType

Properties = list[tuple[str, str]]
"""The names and values of an object in their order, each as JSON text, so that both can be spelled in any way."""

VALUES: dict[int, Callable[[Random], str]] = {
    FieldDescriptor.TYPE_STRING: values.string,
    FieldDescriptor.TYPE_DOUBLE: number,
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
    replace(random, properties, random.choice((*edges.LIKE_NUMBERS, f'"{number(random)}"')))


def no_value(random: Random, event: EventType, properties: Properties) -> None:
    replace(random, properties, random.choice(edges.NO_VALUES))


def replace(random: Random, properties: Properties, text: str) -> None:
    at = pick(random, properties)
    properties[at] = (properties[at][0], text)


def both_spellings(random: Random, event: EventType, properties: Properties) -> None:
    for field in random.sample(event.fields, k=min(1, len(event.fields))):
        value = random.choice((VALUES[field.type], values.value))(random)
        insert(random, properties, json.dumps(field.json_name), value)


def other_spelling(random: Random, event: EventType, properties: Properties) -> None:
    at = pick(random, properties)
    name, text = properties[at]
    others = [json.dumps(field.json_name) for field in event.fields if json.dumps(field.name) == name]
    properties[at] = (random.choice((*others, name.upper(), name.title(), f'" {name[1:]}', f'{name[:-1]}s"')), text)


def other_type(random: Random, event: EventType, properties: Properties) -> None:
    known = [other.type for other in EVENT_TYPES.values()]
    types = (*known, "", "response.created", f"{event.type} ", event.type.upper())
    insert(random, properties, '"type"', json.dumps(random.choice(types)))


def lone_surrogate(random: Random, event: EventType, properties: Properties) -> None:
    text = f'"{random.choice(("", "a"))}{random.choice(edges.LONE_SURROGATES)}"'
    if random.random() < 0.5:
        replace(random, properties, text)
    else:
        insert(random, properties, *random.choice(((text, "1"), ('"extra"', text), ('"item_id"', text))))


def nested_deeply(random: Random, event: EventType, properties: Properties) -> None:
    if random.random() < 0.1:  # not more often: these texts are long
        insert(random, properties, '"nested"', values.nested(random, random.choice((201, 201, 400, 400, 2000, 20_000))))


HARMLESS = (other_order, escaped_name, escaped_type, extra, extra, nested_extra, overwritten)
BREAKING = (
    duplicate, missing, null, any_type, almost_a_number, no_value, both_spellings, other_spelling, other_type,
    lone_surrogate, nested_deeply,
)  # fmt: skip
