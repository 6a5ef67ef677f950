"""JSON texts as trees, so that any part can be changed and respelled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass
class Object:
    """Names and values in order. Names are JSON text, and may be duplicates."""

    properties: list[tuple[str, Tree]]


Tree: TypeAlias = "str | list[Tree] | Object"
"""A scalar is JSON text."""


@dataclass
class Spot:
    """A place in a tree: a property of an object, or an element of a list."""

    parent: Object | list[Tree]
    index: int

    @property
    def name(self) -> str | None:
        return self.parent.properties[self.index][0] if isinstance(self.parent, Object) else None

    @property
    def value(self) -> Tree:
        return self.parent.properties[self.index][1] if isinstance(self.parent, Object) else self.parent[self.index]

    def replace(self, value: Tree) -> None:
        if isinstance(self.parent, Object):
            self.parent.properties[self.index] = (self.parent.properties[self.index][0], value)
        else:
            self.parent[self.index] = value

    def remove(self) -> None:
        del (self.parent.properties if isinstance(self.parent, Object) else self.parent)[self.index]


def spots(tree: Tree) -> Iterator[Spot]:
    """Yields all places in a tree."""
    if isinstance(tree, Object):
        for index, (_, value) in enumerate(tree.properties):
            yield Spot(tree, index)
            if not isinstance(value, str):
                yield from spots(value)
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield Spot(tree, index)
            if not isinstance(value, str):
                yield from spots(value)


def write(tree: Tree, space: Callable[[], str] | None = None) -> str:
    """Serializes a tree, compact or with white space between tokens."""
    gap = space or str
    if isinstance(tree, str):
        return f"{gap()}{tree}{gap()}"
    if isinstance(tree, list):
        inner = ",".join([write(value, space) for value in tree])
        return f"{gap()}[{inner or gap()}]{gap()}"
    inner = ",".join([f"{gap()}{name}{gap()}:{write(value, space)}" for name, value in tree.properties])
    return f"{gap()}{{{inner or gap()}}}{gap()}"
