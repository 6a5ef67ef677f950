"""Every property of every object, with a value of each JSON type and without one, lenient and strict."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from openresponses_grpc import EventShapeError, from_json, to_json
from openresponses_grpc.codec._schema import Naming

from .json_values import Number, parse
from .one_rule import check_union
from .respell import respell
from .samples import around, in_sdk, object_of, objects
from .shapes import EVENT, holds, inner, members, options, properties, spelled
from .test_law import NAMINGS

MISSING = object()
VALUES: list[Any] = ["", "a", 0, -0.5, True, False, None, {}, [], [None], MISSING]
SDK_TYPES = {inner(member) for member in members(EVENT) if in_sdk(member)}

each_object = pytest.mark.parametrize("message", objects(), ids=lambda message: message.name)
each_naming = pytest.mark.parametrize("naming", NAMINGS)


def changed(message: Descriptor, naming: Naming) -> Iterator[tuple[FieldDescriptor, Any, dict[str, Any]]]:
    """Objects with one property changed: with its field, the new value, and all other properties."""
    whole = object_of(message, naming, list(properties(message)))
    for field in properties(message):
        name = spelled(field, naming)
        for value in VALUES:
            yield field, value, {k: v for k, v in (whole | {name: value}).items() if v is not MISSING}


@each_object
@each_naming
def test_a_whole_object_has_all_its_fields_and_no_extra(message: Descriptor, naming: Naming) -> None:
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
def test_an_odd_value_costs_its_own_field_only(message: Descriptor, naming: Naming) -> None:
    for _, _, value in changed(message, naming):
        text = json.dumps(around(message, value, naming).value)
        read = from_json(text)
        check_union(read, text)
        parsed = parse(text)
        for other in NAMINGS:
            assert parse(to_json(read, naming=other)) == respell(parsed, other)


@each_object
@each_naming
def test_strict_rejects_what_the_options_do_not_allow_with_its_path(message: Descriptor, naming: Naming) -> None:
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
    """Whether strict reading accepts a value for a field that holds no message."""
    if value is MISSING:
        return not options(field).required
    if value is None:
        return options(field).nullable
    allowed = not options(field).allowed or value in options(field).allowed
    return allowed and holds(field, Number(repr(value)) if type(value) in (int, float) else value)


def test_the_strict_test_reaches_all_27_events_of_the_sdk() -> None:
    assert len(SDK_TYPES) == 27
    assert all(around(message, {}, "snake_case").strict for message in SDK_TYPES)
