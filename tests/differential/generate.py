"""The inputs of the comparison: JSON texts of events, of near misses and of anything else, from a seed."""

from __future__ import annotations

import json
from random import Random
from typing import NamedTuple

from . import changes, spoiling, values
from .events import EVENT_TYPES, EventType


class Input(NamedTuple):
    """A text to read as an event of the type that has the name `message`."""

    message: str
    text: str


def generate(seed: int, count: int) -> list[Input]:
    """So many inputs, the same ones for the same seed."""
    random = Random(seed)
    events = list(EVENT_TYPES.values())
    return [generate_input(random, random.choice(events)) for _ in range(count)]


def generate_input(random: Random, event: EventType) -> Input:
    """An event spelled in some way, and half of the time broken in some way."""
    properties = [('"type"', json.dumps(event.type))]
    properties += [(json.dumps(field.name), changes.VALUES[field.type](random)) for field in event.fields]
    chosen = random.choices(changes.HARMLESS, k=random.randrange(4))
    broken = random.random() < 0.5
    if broken:
        chosen += random.choices(changes.BREAKING, k=random.choice((1, 1, 1, 2)))
    for change in chosen:
        change(random, event, properties)
    text = write(random, properties)
    if broken and random.random() < 0.2:
        text = random.choice(spoiling.SPOILING)(random, text)
    return Input(event.message, text)


def write(random: Random, properties: changes.Properties) -> str:
    """The object's text."""
    space = values.white if random.random() < 0.3 else lambda random: ""
    texts = [f"{space(random)}{name}{space(random)}:{space(random)}{text}{space(random)}" for name, text in properties]
    return f"{space(random)}{{{','.join(texts) or space(random)}}}{space(random)}"
