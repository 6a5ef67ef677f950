"""The SDKs' schemas, read from the JSON Schema that zod and pydantic print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Scalar:
    """`string`, `number`, `integer`, `boolean` or `null`; `any` is any JSON value."""

    kind: str


@dataclass(frozen=True)
class Literal:
    """One of several strings."""

    values: tuple[str, ...]


@dataclass(frozen=True)
class Array:
    of: Schema


@dataclass(frozen=True)
class Map:
    """An object with arbitrary names."""

    of: Schema


@dataclass(frozen=True)
class Object:
    properties: dict[str, Schema]
    required: frozenset[str]

    @property
    def type(self) -> str | None:
        """The value of `type` if it is required and a single literal, otherwise None."""
        schema = self.properties.get("type")
        if isinstance(schema, Literal) and len(schema.values) == 1 and "type" in self.required:
            return schema.values[0]
        return None


@dataclass(frozen=True)
class Union:
    of: tuple[Schema, ...]


Schema: TypeAlias = Scalar | Literal | Array | Map | Object | Union
ANY = Scalar("any")


@dataclass
class Reader:
    """Reads the subset of JSON Schema that zod and pydantic print. The schemas are acyclic."""

    definitions: Mapping[str, Any]
    _read: dict[str, Schema] = field(default_factory=dict)

    def read(self, schema: Mapping[str, Any]) -> Schema:
        if "$ref" in schema:
            name = schema["$ref"].removeprefix("#/$defs/")
            if name not in self._read:
                self._read[name] = self.read(self.definitions[name])
            return self._read[name]
        if "anyOf" in schema or "oneOf" in schema:
            return union([self.read(one) for one in schema.get("anyOf", schema.get("oneOf"))])
        if "allOf" in schema:
            return intersection([self.read(one) for one in schema["allOf"]])
        if "const" in schema:
            return Literal((schema["const"],))
        if "enum" in schema:
            return Literal(tuple(schema["enum"]))
        if isinstance(schema.get("type"), list):
            return union([self.read({**schema, "type": kind}) for kind in schema["type"]])
        return self._read_type(schema)

    def _read_type(self, schema: Mapping[str, Any]) -> Schema:
        kind = schema.get("type", "any")
        if kind == "array":
            return Array(self.read(schema["items"]))
        if kind == "object" and "properties" in schema:
            properties = {name: self.read(value) for name, value in schema["properties"].items()}
            return Object(properties, frozenset(schema.get("required", ())))
        if kind == "object":
            of = schema["additionalProperties"]
            return Map(ANY if of is True else self.read(of))
        return Scalar(kind)


def union(schemas: list[Schema]) -> Schema:
    """A flat union with its literals merged."""
    members: list[Schema] = []
    literals: list[str] = []
    for schema in schemas:
        for one in schema.of if isinstance(schema, Union) else (schema,):
            if isinstance(one, Literal):
                literals += one.values
            elif one not in members:
                members.append(one)
    if literals:
        members.insert(0, Literal(tuple(literals)))
    return members[0] if len(members) == 1 else Union(tuple(members))


def intersection(schemas: list[Schema]) -> Schema:
    """The intersection of objects: an object with all their properties."""
    properties: dict[str, Schema] = {}
    required: frozenset[str] = frozenset()
    for schema in schemas:
        if not isinstance(schema, Object):
            raise TypeError(f"an intersection of {schema}")
        properties |= schema.properties
        required |= schema.required
    return Object(properties, required)


@dataclass(frozen=True)
class Events:
    """The events of an SDK by type, and all their names and literals."""

    by_type: dict[str, Object]
    names: tuple[str, ...]
    literals: tuple[str, ...]


def read_events(schema: Mapping[str, Any]) -> Events:
    """Reads the JSON Schema of an SDK's union of events."""
    root = Reader(schema["$defs"]).read(schema)
    if not isinstance(root, Union):
        raise TypeError("the SDK's events are not a union")
    by_type: dict[str, Object] = {}
    for event in root.of:
        if not isinstance(event, Object) or event.type is None:
            raise TypeError(f"an event without a type: {event}")
        by_type[event.type] = event
    names: dict[str, None] = {}
    literals: dict[str, None] = {}
    for part in parts(root):
        if isinstance(part, Object):
            names |= dict.fromkeys(part.properties)
        elif isinstance(part, Literal):
            literals |= dict.fromkeys(part.values)
    return Events(by_type, tuple(names), tuple(literals))


def parts(root: Schema) -> Iterator[Schema]:
    """Yields a schema and all nested schemas, each once."""
    seen: set[int] = set()
    todo = [root]
    while todo:
        schema = todo.pop()
        if id(schema) in seen:
            continue
        seen.add(id(schema))
        yield schema
        if isinstance(schema, Object):
            todo += schema.properties.values()
        elif isinstance(schema, Union):
            todo += schema.of
        elif isinstance(schema, Array | Map):
            todo.append(schema.of)
