"""Checks which fields of a message are set: those whose property is present with a value that the field can hold."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from .json_values import Number, elements, members, one_line, parse
from .shapes import element, holds, inner, literal, member_of, options, properties, property_of, shape, snake


def check_union(message: Any, text: str) -> None:
    """A union holds a JSON value in the matching member, or else as text in `unrecognized`."""
    _check_union(message, parse(text), text)


def _check_union(message: Any, value: Any, text: str) -> None:
    member = member_of(message.DESCRIPTOR, value)
    assert message.WhichOneof("kind") == (member.name if member else "unrecognized")
    if member:
        _check_value(getattr(message, member.name), member, value, text)
        return
    unrecognized = message.unrecognized
    assert unrecognized.json == one_line(text)
    type = value.get("type") if isinstance(value, dict) else None
    fits = isinstance(type, str) and holds(unrecognized.DESCRIPTOR.fields_by_name["type"], type)
    assert unrecognized.HasField("type") == fits
    assert not fits or unrecognized.type == type


def _check_object(message: Any, value: dict[str, Any], text: str) -> None:
    texts = members(text)
    set_fields: set[str] = set()
    extra: dict[str, str] = {}
    unknown: dict[str, str] = {}
    for name, one in value.items():
        field = property_of(message.DESCRIPTOR, value, name)
        if name == "type" and literal(message.DESCRIPTOR):
            continue
        if field is None:
            unknown[name] = one_line(texts[name])
        elif one is not None and holds(field, one):
            set_fields.add(field.name)
            _check_value(getattr(message, field.name), field, one, texts[name])
        else:
            extra[snake(field)] = one_line(texts[name])
    assert {field.name for field in properties(message.DESCRIPTOR) if message.HasField(field.name)} == set_fields
    # Known properties come first, in the order of the fields. Unknown ones keep their order.
    order = [snake(field) for field in properties(message.DESCRIPTOR)]
    expected = [*sorted(extra.items(), key=lambda member: order.index(member[0])), *unknown.items()]
    assert message.HasField("extra_json") == bool(expected)
    assert list(members(message.extra_json or "{}").items()) == expected


def _check_value(held: Any, field: FieldDescriptor, value: Any, text: str) -> None:
    if options(field).json_text:
        assert held == one_line(text)
    elif field.message_type is None:
        assert held == (float(value.token) if isinstance(value, Number) else value)
    elif shape(inner(field)) == "union":
        _check_union(held, value, text)
    elif shape(inner(field)) == "object":
        _check_object(held, value, text)
    elif shape(inner(field)) == "list":
        assert len(held.items) == len(value)
        for one, one_value, one_text in zip(held.items, value, elements(text), strict=True):
            _check_value(one, element(inner(field)), one_value, one_text)
    else:
        assert [entry.name for entry in held.entries] == list(value)
        for entry, one_value, one_text in zip(held.entries, value.values(), members(text).values(), strict=True):
            assert entry.HasField("name")
            assert entry.HasField("value")
            _check_value(entry.value, element(inner(field)), one_value, one_text)
