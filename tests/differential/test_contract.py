"""The contract matches the SDK's schemas: names, order and types, and required, nullable and allowed values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from openresponses_grpc.v1 import annotations_pb2
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from .schema import ANY, Array, Events, Literal, Map, Object, Scalar, Schema, Union, read_events
from .sdks import NPM
from .typed import options_of

pytestmark = pytest.mark.differential

SCALARS = {
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_DOUBLE: "number",
    FieldDescriptor.TYPE_BOOL: "boolean",
}
NULL = Scalar("null")


def test_contract_matches_the_schemas() -> None:
    assert list(mistakes(read_events(NPM.schema()))) == []


def without_a_property(part: dict[str, Any]) -> None:
    del part["properties"]["item_id"]


def with_another_property(part: dict[str, Any]) -> None:
    part["properties"]["another"] = {"type": "string"}


def with_an_optional_property(part: dict[str, Any]) -> None:
    part["required"].remove("item_id")


def with_a_nullable_property(part: dict[str, Any]) -> None:
    part["properties"]["item_id"] = {"type": ["string", "null"]}


def with_a_closed_property(part: dict[str, Any]) -> None:
    part["properties"]["item_id"] = {"enum": ["one", "two"]}


def with_a_property_of_another_kind(part: dict[str, Any]) -> None:
    part["properties"]["item_id"] = {"type": "number"}


def in_another_order(part: dict[str, Any]) -> None:
    part["properties"] = dict(reversed(part["properties"].items()))


def of_another_type(part: dict[str, Any]) -> None:
    part["properties"]["type"] = {"const": "response.another"}


@pytest.mark.parametrize(
    "change",
    [
        without_a_property, with_another_property, with_an_optional_property, with_a_nullable_property,
        with_a_closed_property, with_a_property_of_another_kind, in_another_order, of_another_type,
    ],
)  # fmt: skip
def test_detects_change_of_a_schema(change: Callable[[dict[str, Any]], None]) -> None:
    schema = NPM.schema()
    change(next(event for event in schema["anyOf"] if "item_id" in event.get("properties", ())))
    assert list(mistakes(read_events(schema)))


def mistakes(events: Events) -> Iterator[str]:
    """Yields each difference between the contract and the SDK's schemas."""
    yield from union_mistakes(tuple(events.by_type.values()), OpenResponsesStreamEvent.DESCRIPTOR, "$")


def object_mistakes(schema: Object, message: Descriptor, path: str) -> Iterator[str]:
    fields = {options_of(field).name or field.name: field for field in message.fields if field.name != "extra_json"}
    names = [name for name in schema.properties if name != "type" or not type_of(message)]
    known = sorted((name for name in names if name in fields), key=lambda name: fields[name].number)
    if known != [name for name in names if name in fields]:
        yield f"{path}: the fields of {message.name} are in another order than in the SDK: {known}"
    for name in names:
        if name not in fields:
            yield f"{path}.{name}: {message.name} lacks the property"
            continue
        field, options = fields[name], options_of(fields[name])
        members = members_of(schema.properties[name])
        for option, ours, theirs in (
            ("required", options.required, name in schema.required),
            ("nullable", options.nullable, NULL in members or ANY in members),
            ("beyond_sdk", options.beyond_sdk, False),
        ):
            if ours != theirs and not options.unchecked:
                yield f"{path}.{name}: the contract says {option} = {ours}, the SDK {theirs}"
        rest = tuple(member for member in members if member != NULL)
        yield from field_mistakes(rest, field, f"{path}.{name}")
    for name in fields.keys() - schema.properties.keys():
        if not options_of(fields[name]).beyond_sdk:
            yield f"{path}.{name}: only in the contract, without the option beyond_sdk"


def field_mistakes(members: tuple[Schema, ...], field: FieldDescriptor, path: str) -> Iterator[str]:
    """Yields the mistakes in a field, whose value must match one of the schemas."""
    options = options_of(field)
    if options.unchecked != (ANY in members):
        yield f"{path}: the contract says unchecked = {options.unchecked}, the SDK has {members}"
    if ANY in members:
        return
    if field.message_type is None:
        yield from scalar_mistakes(members, field, path)
    elif field.message_type.oneofs and field.message_type.oneofs[0].name == "kind":
        yield from union_mistakes(members, field.message_type, path)
    elif len(members) != 1:
        yield f"{path}: {field.message_type.name} is not a union, but the SDK has {members}"
    else:
        yield from message_mistakes(members[0], field.message_type, path)


def scalar_mistakes(members: tuple[Schema, ...], field: FieldDescriptor, path: str) -> Iterator[str]:
    options = options_of(field)
    allowed = [value for member in members if isinstance(member, Literal) for value in member.values]
    is_open = Scalar("string") in members
    if options.json_text == annotations_pb2.JSON_TEXT_OBJECT:
        if not (len(members) == 1 and isinstance(members[0], Map)):
            yield f"{path}: the contract has a JSON object as text, the SDK {members}"
        return
    kind = SCALARS[field.type]
    if not all(member == Scalar(kind) or (kind == "string" and isinstance(member, Literal)) for member in members):
        yield f"{path}: the contract has a {kind}, the SDK {members}"
    elif sorted(options.allowed) != ([] if is_open else sorted(allowed)):
        yield f"{path}: the contract allows {list(options.allowed)}, the SDK {'any' if is_open else allowed}"


def message_mistakes(schema: Schema, message: Descriptor, path: str) -> Iterator[str]:
    element: Any = message.fields[0]
    if isinstance(schema, Object):
        yield from object_mistakes(schema, message, path)
    elif isinstance(schema, Array) and element.is_repeated and element.name == "items":
        yield from field_mistakes(members_of(schema.of), element, f"{path}[]")
    elif isinstance(schema, Map) and element.is_repeated and element.name == "entries":
        yield from field_mistakes(members_of(schema.of), element.message_type.fields[1], f"{path}.*")
    else:
        yield f"{path}: {message.name} does not match the SDK: {schema}"


def union_mistakes(members: tuple[Schema, ...], message: Descriptor, path: str) -> Iterator[str]:
    """Yields the mistakes in a union; fields outside the SDK are ignored."""
    fields = [field for field in message.fields if field.name != "unrecognized" and not options_of(field).beyond_sdk]
    messages = {field: field.message_type for field in fields if field.message_type is not None}
    by_type = {type: field for field, message in messages.items() if (type := type_of(message)) is not None}
    objects = {type: member for member in members if isinstance(member, Object) for type in types_of(member)}
    if by_type.keys() != objects.keys():
        yield f"{path}: {message.name} has fields for {sorted(by_type)}, the SDK for {sorted(objects)}"
    for type in by_type.keys() & objects.keys():
        yield from object_mistakes(objects[type], messages[by_type[type]], f"{path}<{type}>")
    shapes = [field for field in fields if field not in by_type.values()]
    others = tuple(member for member in members if not isinstance(member, Object))
    if bool(shapes) != bool(others) or len(shapes) > 1:
        yield f"{path}: {message.name} has the fields {[field.name for field in shapes]}, the SDK {others}"
    elif shapes:
        yield from field_mistakes(others, shapes[0], path)


def members_of(schema: Schema) -> tuple[Schema, ...]:
    return schema.of if isinstance(schema, Union) else (schema,)


def types_of(schema: Object) -> tuple[str, ...]:
    literal = schema.properties.get("type")
    return literal.values if isinstance(literal, Literal) else ()


def type_of(message: Descriptor) -> str | None:
    return message.GetOptions().Extensions[annotations_pb2.object].type or None
