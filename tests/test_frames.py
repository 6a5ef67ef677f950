"""An event's bytes as they are put together, for every kind of field that an event may come to have."""

from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import Default
from google.protobuf.message_factory import GetMessageClass

from openresponses.v1.annotations_pb2 import event_type
from openresponses_grpc.codec import EventCodec
from openresponses_grpc.framing.frames import compile_frame

from .test_transcode import framed

STRING, DOUBLE, BOOL = (FieldDescriptorProto.Type.Value(f"TYPE_{kind}") for kind in ("STRING", "DOUBLE", "BOOL"))
Field = tuple[str, int, FieldDescriptorProto.Type.ValueType]

# Not in the order of their numbers, beyond those of one byte, and named as what puts them together is.
FIELDS: list[Field] = [
    ("struct", 18, STRING),
    ("message", 1, BOOL),
    ("double", 20, DOUBLE),
    ("head", 2, STRING),
    ("last", 2000, BOOL),
]
VALUES = [
    ("", False, 0.0, "", False),
    ("é😀", True, 7977.54, "x" * 200, True),
    ("y" * 70_000, True, 5e-324, "z", False),
]


def codec(fields: list[Field], arm: int) -> EventCodec:
    """The codec of an event with these fields, at an arm of this number."""
    file = FileDescriptorProto(name=f"frames_{arm}.proto", package=f"frames_{arm}", syntax="proto3")
    event = file.message_type.add(name="Event")
    event.options.Extensions[event_type] = "response.event"
    for index, (name, number, kind) in enumerate(fields):
        event.oneof_decl.add(name=f"_{name}")
        event.field.add(
            name=name,
            number=number,
            type=kind,
            label=FieldDescriptorProto.LABEL_OPTIONAL,
            proto3_optional=True,
            oneof_index=index,
        )
    wrapper = file.message_type.add(name="Wrapper")
    wrapper.field.add(
        name="event",
        number=arm,
        type=FieldDescriptorProto.TYPE_MESSAGE,
        type_name=f".{file.package}.Event",
        label=FieldDescriptorProto.LABEL_OPTIONAL,
    )
    Default().AddSerializedFile(file.SerializeToString())
    descriptor = Default().FindMessageTypeByName(f"{file.package}.Wrapper").fields_by_name["event"]
    assert descriptor.message_type
    return EventCodec(descriptor, descriptor.message_type, "camelCase")


@pytest.mark.parametrize("arm, fields, values", [(5, FIELDS, VALUES), (40, FIELDS, VALUES), (6, [], [()])])
def test_the_bytes_are_those_that_protobuf_writes(arm: int, fields: list[Field], values: list[tuple[Any, ...]]) -> None:
    compiled = codec(fields, arm)
    frame = compile_frame(compiled)
    assert compiled.descriptor.containing_type
    wrapper: Any = GetMessageClass(compiled.descriptor.containing_type)
    for row in values:
        message = wrapper()
        message.event.SetInParent()
        for (name, _, _), value in zip(fields, row, strict=True):
            setattr(message.event, name, value)
        assert frame(compiled.struct(*row)) == framed([message.SerializeToString()])
