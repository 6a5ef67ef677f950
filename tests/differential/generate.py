"""Generates inputs for the comparison from a seed: JSON texts of an SDK's events, half of them spoiled."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import NamedTuple

from . import doubles, spelling, values
from .schema import Array, Events, Literal, Map, Object, Scalar, Schema, Union, parts
from .spoil import spoil
from .tree import Object as Properties
from .tree import Tree, write


class Input(NamedTuple):
    """A text, the type of its original event, and whether it was spoiled."""

    type: str
    text: str
    spoiled: bool


@dataclass(frozen=True)
class Generator:
    """Generates values of schemas.

    Attributes:
        random: the source of all choices.
        density: the probability of an optional property.
        oddity: the probability of a scalar on which parsers and serializers disagree.
    """

    random: Random
    density: float
    oddity: float

    def make(self, schema: Schema) -> Tree:
        """A value that the schema accepts."""
        if isinstance(schema, Object):
            return Properties(
                [
                    (quoted(name), self.make(of))
                    for name, of in schema.properties.items()
                    if name in schema.required or self.random.random() < self.density
                ]
            )
        if isinstance(schema, Scalar):
            return self.scalar(schema.kind)
        if isinstance(schema, Literal):
            return quoted(self.random.choice(schema.values))
        if isinstance(schema, Union):
            return self.make(self.random.choice(schema.of))
        count = self.random.choice((0, 1, 1, 2, 3))
        if isinstance(schema, Array):
            return [self.make(schema.of) for _ in range(count)]
        return self.map(schema, count)

    def map(self, schema: Map, count: int) -> Tree:
        """A map with arbitrary names, which may be duplicates."""
        names = [values.name(self.random) if self.odd() else quoted(self.random.choice(WORDS)) for _ in range(count)]
        return Properties([(name, self.make(schema.of)) for name in names])

    def scalar(self, kind: str) -> Tree:
        if kind == "any":
            return random_json(self.random) if self.odd() else self.make(self.random.choice(PLAIN))
        if kind == "string":
            return values.string(self.random) if self.odd() else quoted(self.random.choice(WORDS))
        if kind in ("number", "integer"):
            if kind == "number" and self.odd():
                return doubles.finite(self.random)
            return str(self.random.randrange(1000))
        return "null" if kind == "null" else self.random.choice(("true", "false"))

    def odd(self) -> bool:
        return self.random.random() < self.oddity


WORDS = (
    "", "a", "abc", "msg_0123456789abcdef", "The quick brown fox", "completed", "é", "日本", "\n", '"', "1", "null",
)  # fmt: skip
PLAIN: tuple[Schema, ...] = (
    *map(Scalar, ("string", "string", "number", "boolean", "null")),
    Array(Scalar("string")), Map(Scalar("string")), Map(Array(Scalar("number"))),
)  # fmt: skip


def random_json(random: Random) -> str:
    return "1e400" if random.random() < 0.05 else values.value(random)


@cache
def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def generate(events: Events, seed: int, count: int) -> Iterator[Input]:
    """Generates `count` inputs, reproducibly for a seed."""
    random = Random(seed)
    # Larger events are more frequent.
    weights = {type: math.sqrt(sum(1 for _ in parts(event))) for type, event in events.by_type.items()}
    for type in random.choices(list(weights), list(weights.values()), k=count):
        generator = Generator(random, random.choice((0.1, 0.5, 0.9)), random.choice((0, 0.02, 0.2)))
        tree = generator.make(events.by_type[type])
        spoiled = random.random() < 0.5
        if spoiled:
            for _ in range(random.choice((1, 1, 1, 1, 2))):
                spoil(random, tree, events)
        if random.random() < 0.3:
            spelling.respell(random, tree)
        space = (lambda: values.white(random)) if random.random() < 0.1 else None
        text = write(tree, space)
        if spoiled and random.random() < 0.05:
            text = spelling.spoil_text(random, text)
        yield Input(type, text, spoiled)
