"""Recursive messages. The contract does not contain any yet."""

from __future__ import annotations

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from openresponses_grpc.codec._decode import Decoders
from openresponses_grpc.codec._reader import Reader
from openresponses_grpc.codec._schema import message_of
from openresponses_grpc.v1 import annotations_pb2, common_pb2

PACKAGE = "recursive.v1"


def message(file: descriptor_pb2.FileDescriptorProto, name: str, **fields: str) -> DescriptorProto:
    """Adds an object with a field of each named message, a string field and `extra_json` to a file."""
    made = file.message_type.add(name=name)
    for number, (field, type_name) in enumerate(fields.items(), 1):
        made.field.add(name=field, number=number, type=FieldDescriptorProto.TYPE_MESSAGE, type_name=type_name, label=1)
    made.field.add(name="text", number=9, type=FieldDescriptorProto.TYPE_STRING, label=1, proto3_optional=True)
    made.field.add(name="extra_json", number=15, type=FieldDescriptorProto.TYPE_STRING, label=1, proto3_optional=True)
    for index, field in enumerate(("text", "extra_json")):
        made.oneof_decl.add(name=f"_{field}")
        made.field[-2 + index].oneof_index = index
    return made


def pool() -> DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="recursive.proto", package=PACKAGE, syntax="proto3")
    file.dependency.append(common_pb2.DESCRIPTOR.name)
    event = file.message_type.add(name="Event")
    event.oneof_decl.add(name="kind")
    for name, number, type_name in (
        ("node", 1, f".{PACKAGE}.Node"),
        ("unrecognized", 15, ".openresponses_grpc.v1.Unrecognized"),
    ):
        kind = FieldDescriptorProto.TYPE_MESSAGE
        event.field.add(name=name, number=number, type=kind, type_name=type_name, label=1, oneof_index=0)
    node = message(file, "Node", child=f".{PACKAGE}.Child")
    node.options.Extensions[annotations_pb2.object].type = "node"
    message(file, "Child", child=f".{PACKAGE}.Child", children=f".{PACKAGE}.ChildList")
    children = file.message_type.add(name="ChildList")
    kind = FieldDescriptorProto.TYPE_MESSAGE
    children.field.add(name="items", number=1, type=kind, type_name=f".{PACKAGE}.Child", label=3)
    made = DescriptorPool()
    for module in (descriptor_pb2, annotations_pb2, common_pb2):
        made.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    made.Add(file)
    return made


EVENT = pool().FindMessageTypeByName(f"{PACKAGE}.Event")


@pytest.mark.parametrize(
    "text",
    [
        b'{"type":"node","child":{"child":{"child":{"text":"deep","unknown":1}}}}',
        b'{"type":"node","child":{"children":[{"children":[{"text":"a"},{}]},{"child":{"text":"b"}}],"text":"c"}}',
        b'{"type":"node","child":{"children":[{"children":[1]}]}}',
    ],
)
def test_recursive_message_round_trips(text: bytes) -> None:
    reader = Reader(message_of(EVENT))
    decode = Decoders("snake_case").of[message_of(EVENT)]
    for _ in range(3):
        data = reader.read(text, None)
        assert GetMessageClass(EVENT).FromString(data).SerializeToString(deterministic=True) == data
        assert decode(data, 0, len(data)) == text
