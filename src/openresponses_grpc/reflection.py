"""gRPC reflection, for tools that ask a server what it serves.

grpcio-reflection answers out of a pool of descriptors. Python's own lacks what tools such as ghz count on and this
one has: the fields' names in JSON, and methods among the symbols that are looked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
from grpc_reflection.v1alpha import reflection


class _Pool:
    """A pool for reflection: it has the files of some services, and those that they import.

    Args:
        services: the full names of services whose stubs are imported.

    """

    def __init__(self, services: Iterable[str]) -> None:
        self._pool = descriptor_pool.DescriptorPool()
        self._added: set[str] = set()
        for service in services:
            self._add(descriptor_pool.Default().FindFileContainingSymbol(service))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def FindFileContainingSymbol(self, symbol: str) -> FileDescriptor:  # noqa: N802 - as in protobuf's pool
        try:
            return self._pool.FindFileContainingSymbol(symbol)
        except KeyError:
            return self._pool.FindMethodByName(symbol).containing_service.file

    def _add(self, file: FileDescriptor) -> None:
        if file.name in self._added:
            return
        self._added.add(file.name)
        for dependency in file.dependencies:
            self._add(dependency)
        proto = FileDescriptorProto()
        file.CopyToProto(proto)
        for message in proto.message_type:
            _name_in_json(message, file.message_types_by_name[message.name])
        self._pool.AddSerializedFile(proto.SerializeToString())


def _name_in_json(message: DescriptorProto, descriptor: Descriptor) -> None:
    """Gives the fields of a message their names in JSON, as protoc does; Python's stubs are made without them."""
    for field in message.field:
        field.json_name = descriptor.fields_by_name[field.name].json_name
    for nested in message.nested_type:
        _name_in_json(nested, descriptor.nested_types_by_name[nested.name])


def add_reflection(services: Iterable[str], server: grpc.aio.Server) -> None:
    """Lets a server tell what it serves: services by their full names, and reflection itself."""
    names = (*services, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server, pool=cast("descriptor_pool.DescriptorPool", _Pool(names)))
