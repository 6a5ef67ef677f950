"""Every property of every object, missing and with a value of each JSON type, lenient and strict."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from openresponses_grpc import EventShapeError, from_json, to_json
from openresponses_grpc.codec._schema import NAMINGS, Naming

from .json_values import Number, parse
from .respell import respell
from .samples import around, in_sdk, object_of, objects
from .set_fields import check_union
from .shapes import EVENT, holds, inner, members, options, properties, spelled

MISSING = object()
VALUES: list[Any] = ["", "a", 0, -0.5, True, False, None, {}, [], [None], MISSING]
SDK_TYPES = {inner(member) for member in members(EVENT) if in_sdk(member)}

each_object = pytest.mark.parametrize("message", objects(), ids=lambda message: message.name)
each_naming = pytest.mark.parametrize("naming", NAMINGS)


def changed(message: Descriptor, naming: Naming) -> Iterator[tuple[FieldDescriptor, Any, dict[str, Any]]]:
    """Yields a field, a new value, and the full object with that property changed or removed."""
    whole = object_of(message, naming, list(properties(message)))
    for field in properties(message):
        name = spelled(field, naming)
        for value in VALUES:
            yield field, value, {k: v for k, v in (whole | {name: value}).items() if v is not MISSING}


@each_object
@each_naming
def test_full_object_sets_every_field_and_no_extras(message: Descriptor, naming: Naming) -> None:
    whole = object_of(message, naming, list(properties(message)))
    event, _, strict = around(message, whole, naming)
    text = json.dumps(event)
    read = from_json(text)
    check_union(read, text)
    assert "extra_json" not in str(read)
    assert "unrecognized" not in str(read)
    assert from_json(text, naming=naming, strict=strict) == read
    assert parse(to_json(read, naming=naming)) == parse(text)


@each_object
@each_naming
def test_odd_value_unsets_only_its_field(message: Descriptor, naming: Naming) -> None:
    for _, _, value in changed(message, naming):
        text = json.dumps(around(message, value, naming).value)
        read = from_json(text)
        check_union(read, text)
        parsed = parse(text)
        for other in NAMINGS:
            assert parse(to_json(read, naming=other)) == respell(parsed, other)


@each_object
@each_naming
def test_strict_parsing_locates_violation_of_field_options(message: Descriptor, naming: Naming) -> None:
    for field, new, value in changed(message, naming):
        if not in_sdk(field) or field.message_type:
            continue
        event, path, strict = around(message, value, naming)
        if not strict:
            continue
        text = json.dumps(event)
        if accepted(field, new):
            from_json(text, naming=naming, strict=True)
            continue
        with pytest.raises(EventShapeError) as caught:
            from_json(text, naming=naming, strict=True)
        assert caught.value.path == f"{path}.{spelled(field, naming)}", text
        with pytest.raises(EventShapeError):
            from_json(text, strict=True)


def accepted(field: FieldDescriptor, value: Any) -> bool:
    """Whether strict parsing accepts a value for a scalar field."""
    if value is MISSING:
        return not options(field).required
    if value is None:
        return options(field).nullable
    allowed = not options(field).allowed or value in options(field).allowed
    return allowed and holds(field, Number(repr(value)) if type(value) in (int, float) else value)


def test_strict_parsing_covers_all_27_events_of_the_sdk() -> None:
    assert len(SDK_TYPES) == 27
    assert all(around(message, {}, "snake_case").strict for message in SDK_TYPES)
