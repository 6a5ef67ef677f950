"""A field from a newer contract raises at any depth; otherwise it would be lost silently."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st

from openresponses_grpc import IncompleteEventError, json_to_protobuf, protobuf_to_json, to_json
from openresponses_grpc.codec._schema import NAMINGS
from openresponses_grpc.v1 import events_pb2
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from .generate import any_object
from .shapes import EVENT, element, shape, spelled

PACKAGE = "openresponses_grpc.v1"
ADVICE = "which this version does not know: upgrade openresponses-grpc"


class Added(NamedTuple):
    """A field that a newer version of the contract adds.

    Attributes:
        message: the message with the new field.
        member: the type of a new union member; empty for a new optional string.
        event: an event of the current contract.
        place: the steps from the event to the message: names of fields, and indices of list elements.
        path: the path of the error.

    """

    message: str
    member: str
    event: str
    place: tuple[str | int, ...]
    path: str


TABLE = [
    Added("OpenResponsesStreamEvent", "URLCitation", '{"type":"error"}', (), "$"),
    Added(
        "OpenResponsesStreamEventResponseOutputTextDelta",
        "",
        '{"type":"response.output_text.delta","delta":"a"}',
        ("output_text_delta",),
        "$",
    ),
    Added(
        "OpenResponsesUsage",
        "",
        '{"type":"response.completed","response":{"usage":{"total_tokens":7}}}',
        ("completed", "response", "usage"),
        "$.response.usage",
    ),
    Added(
        "ResponsesOutputItem",
        "URLCitation",
        '{"type":"response.completed","response":{"output":[{"type":"reasoning"},{"type":"message"}]}}',
        ("completed", "response", "output", "items", 1),
        "$.response.output[1]",
    ),
    Added(
        "ResponseOutputText",
        "",
        '{"type":"response.output_item.done","item":{"type":"message","content":[{"type":"output_text","text":"a"}]}}',
        ("output_item_done", "item", "message", "content", "items", 0, "output_text"),
        "$.item.content[0]",
    ),
    Added(
        "AttributeValue",
        "URLCitation",
        '{"type":"response.output_item.done","item":'
        '{"type":"file_search_call","results":[{"attributes":{"a b":"c"}}]}}',
        ("output_item_done", "item", "file_search_call", "results", "items", 0, "attributes", "entries", 0, "value"),
        '$.item.results[0].attributes["a b"]',
    ),
    Added("Unrecognized", "", '{"type":"other"}', ("unrecognized",), "$"),
]


def newer_event(added: Added) -> type[Message]:
    """The class of the event in a contract with the additional field."""
    pool = DescriptorPool()
    for file in files(events_pb2.DESCRIPTOR):
        copy = FileDescriptorProto.FromString(file.serialized_pb)
        for message in copy.message_type:
            if message.name == added.message:
                field = message.field.add(name="added", number=900, label=FieldDescriptorProto.LABEL_OPTIONAL)
                field.type = FieldDescriptorProto.TYPE_MESSAGE if added.member else FieldDescriptorProto.TYPE_STRING
                if added.member:
                    field.type_name, field.oneof_index = f".{PACKAGE}.{added.member}", 0
                    copy.dependency.extend(
                        {f"{PACKAGE.replace('.', '/')}/content.proto"} - {*copy.dependency, copy.name}
                    )
        pool.Add(copy)
    return GetMessageClass(pool.FindMessageTypeByName(EVENT.full_name))


def files(file: Any) -> list[Any]:
    """A file and its imports, dependencies first."""
    return list(dict.fromkeys([*(one for import_ in file.dependencies for one in files(import_)), file]))


@pytest.mark.parametrize("added", TABLE, ids=lambda added: added.message)
@pytest.mark.parametrize("naming", NAMINGS)
def test_error_locates_field_of_newer_version(added: Added, naming: Any) -> None:
    event: Any = newer_event(added).FromString(json_to_protobuf(added.event))
    assert protobuf_to_json(event.SerializeToString(), naming="snake_case") == added.event.encode()
    message: Any = event
    for step in added.place:
        message = message[step] if isinstance(step, int) else getattr(message, step)
    if added.member:
        message.added.SetInParent()
    else:
        message.added = "new"
    with pytest.raises(IncompleteEventError, match=ADVICE) as caught:
        protobuf_to_json(event.SerializeToString(), naming=naming)
    assert (caught.value.path, "900" in caught.value.problem) == (added.path, True)
    with pytest.raises(IncompleteEventError, match=ADVICE):
        to_json(OpenResponsesStreamEvent.FromString(event.SerializeToString()), naming=naming)


def places(message: Any, path: str = "$") -> Iterator[tuple[str, Message]]:
    """Yields a message and all messages in it, with their paths in camelCase."""
    yield path, message
    of = shape(message.DESCRIPTOR)
    if of == "list" and element(message.DESCRIPTOR).message_type:
        for index, one in enumerate(message.items):
            yield from places(one, f"{path}[{index}]")
    elif of == "map":
        for entry in message.entries:
            yield path, entry
            if element(message.DESCRIPTOR).message_type:
                yield from places(entry.value, child(path, entry.name))
    elif of in ("union", "object"):
        for field, value in message.ListFields():
            if field.message_type:
                yield from places(value, path if of == "union" else child(path, spelled(field, "camelCase")))


def child(path: str, name: str) -> str:
    return f"{path}.{name}" if name.isidentifier() else f"{path}[{json.dumps(name)}]"


@given(any_object, st.data())
def test_error_locates_unknown_field_anywhere(text: str, draw: st.DataObject) -> None:
    event = OpenResponsesStreamEvent.FromString(json_to_protobuf(text))
    path, message = draw.draw(st.sampled_from(list(places(event))))
    message.MergeFromString(draw.draw(st.sampled_from([b"\x80\x7d\x01", b"\x82\x7d\x03abc", b"\x81\x7d" + bytes(8)])))
    with pytest.raises(IncompleteEventError) as caught:
        protobuf_to_json(event.SerializeToString())
    assert caught.value.path == path
