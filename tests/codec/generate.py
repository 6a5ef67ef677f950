"""Hypothesis strategies for events, derived from the descriptors: valid JSON with odd values anywhere.

Most objects are small. Therefore each event is built around a message that is drawn from all messages: all are equally
frequent, at any depth.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import strategies as st

from openresponses_grpc.v1 import annotations_pb2

from .any_json import Text, arrays, escaped, joined, names, numbers, objects, spaces, strings, values
from .shapes import EVENT, camel, element, inner, literal, members, messages, options, parent, properties, shape, snake


def values_of(field: FieldDescriptor) -> Text:
    """Values that the field can hold, and a few that it cannot hold."""
    return _one_odd_in(8, field)


@cache
def _one_odd_in(count: int, field: FieldDescriptor) -> Text:
    fit = st.deferred(lambda: _fit(field))
    return st.one_of(*[fit] * (count - 2), st.just("null"), values)


@cache
def _fit(field: FieldDescriptor) -> Text:
    if options(field).json_text:
        return objects(values) if options(field).json_text == annotations_pb2.JSON_TEXT_OBJECT else values
    if field.type == FieldDescriptor.TYPE_STRING:
        return strings
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return numbers
    return st.sampled_from(["true", "false"]) if field.type == FieldDescriptor.TYPE_BOOL else values_for(inner(field))


@cache
def values_for(message: Descriptor) -> Text:
    """JSON values of the message."""
    match shape(message):
        case "object":
            return objects_of(message)
        case "union":
            return st.one_of([values_of(member) for member in members(message)])
        case "list":
            return arrays(_one_odd_in(_rarely(message), element(message)))
    return objects(_one_odd_in(_rarely(message), element(message)))


def _rarely(message: Descriptor) -> int:
    """One element in this many is odd. Outside unions, where one turns the whole list into an extra, fewer are."""
    of = element(message).message_type
    return 8 if of and shape(of) == "union" else 40


@cache
def objects_of(message: Descriptor, within: FieldDescriptor | None = None) -> Text:
    """JSON objects of the message: some of its properties, in either or both spellings, and unknown ones.

    With `within`, the text is a template: `%s` is the value of that field's property.
    """
    known = [_member(field) for field in properties(message) if field is not within]
    unknown = st.builds("{}:{}".format, names, values)
    type = literal(message)

    @st.composite
    def build(draw: st.DrawFn) -> str:
        parts = draw(st.lists(st.one_of(known), max_size=2 if within else 6)) if known else []
        parts += draw(st.lists(unknown, max_size=2)) if draw(st.integers(0, 2)) == 2 else []
        if type:
            parts.insert(draw(st.integers(0, len(parts))), f"{draw(escaped('type'))}:{json.dumps(type)}")
            if draw(st.integers(0, 19)) == 19 and not within:
                parts.append(f'"type":{draw(values)}')
        if within:
            name = draw(st.sampled_from([snake(within), camel(within)]))
            parts = [part.replace("%", "%%") for part in parts]
            parts.insert(draw(st.integers(0, len(parts))), f'"{name}":%s')
        return joined("{", parts, "}", draw(spaces))

    return build()


def _member(field: FieldDescriptor) -> Text:
    name = st.one_of(escaped(snake(field)), escaped(camel(field)))
    return st.builds("{}{}:{}{}".format, name, spaces, spaces, values_of(field))


@cache
def parents(message: Descriptor) -> list[FieldDescriptor]:
    """The fields whose type is the message."""
    return [field for container in messages() for field in container.fields if field.message_type is message]


@st.composite
def events_with(draw: st.DrawFn, message: Descriptor) -> str:
    """Events that contain a value of the message."""
    text = draw(values_for(message))
    while message is not EVENT:
        field = draw(st.sampled_from(parents(message)))
        message = parent(field)
        if message.name.endswith("MapEntry"):
            message = parent(parents(message)[0])
            text = f"{{{draw(names)}:{text}}}"
        elif shape(message) == "object":
            text = draw(objects_of(message, field)) % text
        elif shape(message) == "list":
            text = f"[{','.join([*draw(st.lists(values_of(field), max_size=1)), text])}]"
    return text


@st.composite
def _events(draw: st.DrawFn) -> str:
    return draw(events_with(draw(st.sampled_from(_VALUES))))


_VALUES: Final = [m for m in messages() if m is not EVENT and not m.name.endswith(("MapEntry", "Unrecognized"))]

events: Final = _events()
"""Events that contain any message of the contract."""

any_object = st.one_of(events, events, events, events, objects(values))
"""Arbitrary JSON objects, mostly events."""
