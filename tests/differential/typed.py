"""Finds properties that should be fields of a message."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from openresponses_grpc.v1 import annotations_pb2

from .json_values import Number, is_beyond_exact, loads


def untyped(message: Message) -> Iterator[str]:
    """Yields known properties in `extra_json`, and unrecognized values.

    Only for events that the SDK accepts: then fields can hold all checked properties except `null` and large integers.
    """
    if message.DESCRIPTOR.name == "Unrecognized":
        yield "unrecognized"
    for field, value in message.ListFields():
        if field.name == "extra_json":
            known = checked_names(message.DESCRIPTOR)
            yield from (name for name, one in loads(value).items() if name in known and not must_stay_text(one))
        elif field.message_type is not None and not options_of(field).unchecked:
            for one in value if field.is_repeated else (value,):
                yield from untyped(one)


def must_stay_text(value: Any) -> bool:
    return value is None or (isinstance(value, Number) and is_beyond_exact(value))


@cache
def checked_names(message: Descriptor) -> frozenset[str]:
    """The properties of a message that strict parsing checks."""
    fields = [(field, options_of(field)) for field in message.fields if field.name != "extra_json"]
    return frozenset(
        options.name or field.name for field, options in fields if not options.beyond_sdk and not options.unchecked
    )


@cache
def options_of(field: FieldDescriptor) -> annotations_pb2.PropertyOptions:
    options: annotations_pb2.PropertyOptions = field.GetOptions().Extensions[annotations_pb2.property]
    return options
