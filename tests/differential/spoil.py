"""Ways to spoil one part of an event."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

from . import doubles, edges, values
from .schema import Events
from .tree import Object, Spot, Tree, spots

Spoiler = Callable[[Random, Spot, Events], None]


def spoil(random: Random, tree: Tree, events: Events) -> None:
    """Spoils one part at any depth."""
    spoiler = random.choice(SPOILERS)
    places = list(spots(tree))
    if spoiler in OF_PROPERTIES:
        places = [spot for spot in places if spot.name is not None]
    elif spoiler in OF_ELEMENTS:
        places = [spot for spot in places if isinstance(spot.value, list)] or places
    elif spoiler in OF_TYPES:
        places = [spot for spot in places if spot.name == '"type"'] or places
    if places:
        spoiler(random, random.choice(places), events)


def null(random: Random, spot: Spot, events: Events) -> None:
    spot.replace("null")


def other_value(random: Random, spot: Spot, events: Events) -> None:
    spot.replace(values.value(random))


def other_string(random: Random, spot: Spot, events: Events) -> None:
    spot.replace(values.string(random) if random.random() < 0.3 else json.dumps(random.choice(events.literals)))


def other_number(random: Random, spot: Spot, events: Events) -> None:
    spot.replace(random.choice((doubles.number(random), "1e400", "-1e999", "-0", "9007199254740993", "1" + "0" * 400)))


def almost_a_number(random: Random, spot: Spot, events: Events) -> None:
    spot.replace(random.choice((*edges.LIKE_NUMBERS, f'"{doubles.number(random)}"')))


def wrapped(random: Random, spot: Spot, events: Events) -> None:
    spot.replace([spot.value] if random.random() < 0.5 else Object([(random.choice(('"type"', '"0"')), spot.value)]))


def lone_surrogate(random: Random, spot: Spot, events: Events) -> None:
    text = f'"{random.choice(("", "a"))}{random.choice(edges.LONE_SURROGATES)}"'
    if random.random() < 0.5 and isinstance(spot.parent, Object):
        insert(random, spot.parent, text, "1")
    else:
        spot.replace(text)


def no_value(random: Random, spot: Spot, events: Events) -> None:
    spot.replace(random.choice(edges.NO_VALUES))


def missing(random: Random, spot: Spot, events: Events) -> None:
    spot.remove()


def camel_case(random: Random, spot: Spot, events: Events) -> None:
    name, value = of(spot).properties[spot.index]
    of(spot).properties[spot.index] = (camel(name), value)


def both_spellings(random: Random, spot: Spot, events: Events) -> None:
    name, value = of(spot).properties[spot.index]
    insert(random, of(spot), camel(name), random.choice((value, "null", "7", '"other"')))


def other_name(random: Random, spot: Spot, events: Events) -> None:
    name, value = of(spot).properties[spot.index]
    others = (name.upper(), name.title(), f'" {name[1:]}', f'{name[:-1]}s"')
    of(spot).properties[spot.index] = (random.choice(others), value)


def overwritten(random: Random, spot: Spot, events: Events) -> None:
    """A duplicate before the property, which does not count."""
    name = of(spot).properties[spot.index][0]
    value = '"\\ud800"' if random.random() < 0.1 else values.value(random, 1)
    of(spot).properties.insert(random.randrange(spot.index + 1), (name, value))


def duplicate(random: Random, spot: Spot, events: Events) -> None:
    """A duplicate after the property, which counts."""
    name, value = of(spot).properties[spot.index]
    of(spot).properties.append((name, random.choice((value, "null", "7", '"other"', "[]", "{}"))))


def unknown(random: Random, spot: Spot, events: Events) -> None:
    name = random.choice((values.name(random), json.dumps(random.choice(events.names)), random.choice(CONTRACT_NAMES)))
    insert(random, of(spot), name, values.value(random))


def nested(random: Random, spot: Spot, events: Events) -> None:
    levels = random.choice((2, 10, 80)) if random.random() < 0.9 else random.choice((105, 150, 201, 400, 2000))
    insert(random, of(spot), '"nested"', values.nested(random, levels))


def odd_element(random: Random, spot: Spot, events: Events) -> None:
    elements = spot.value
    if isinstance(elements, list):
        odd = random.choice(("null", '"odd"', "1", "{}", "[]", '{"type":"odd"}', '{"type":null}', '{"text":"odd"}'))
        elements.insert(random.randrange(len(elements) + 1), odd)
    else:
        spot.replace("[null]")


def other_type(random: Random, spot: Spot, events: Events) -> None:
    near = ("null", "1", '""', '"TYPE"', '["message"]', '"message "')
    spot.replace(random.choice((json.dumps(random.choice(events.literals)), random.choice(near))))


def of(spot: Spot) -> Object:
    assert isinstance(spot.parent, Object)
    return spot.parent


def insert(random: Random, object: Object, name: str, value: Tree) -> None:
    object.properties.insert(random.randrange(len(object.properties) + 1), (name, value))


def camel(name: str) -> str:
    """Converts a name to camelCase like the SDK."""
    first, *others = name.split("_")
    return first + "".join(other[:1].upper() + other[1:] for other in others)


CONTRACT_NAMES = (
    '"extra_json"', '"extraJson"', '"items"', '"entries"', '"unrecognized"', '"kind"', '"parameters_json"',
)  # fmt: skip
OF_PROPERTIES = (missing, camel_case, both_spellings, other_name, overwritten, duplicate, unknown, nested)
OF_ELEMENTS = (odd_element,)
OF_TYPES = (other_type,)
SPOILERS: tuple[Spoiler, ...] = (
    null, null, other_value, other_value, other_string, other_number, almost_a_number, wrapped, lone_surrogate,
    no_value, missing, *OF_PROPERTIES, *OF_PROPERTIES, unknown, *OF_ELEMENTS, *OF_ELEMENTS, *OF_TYPES, *OF_TYPES,
)  # fmt: skip
