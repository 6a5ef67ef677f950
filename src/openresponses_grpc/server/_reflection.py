"""gRPC reflection, for tools that discover services.

grpcio-reflection serves from a descriptor pool. Tools such as ghz rely on two things that protobuf's pool lacks and
this one has: the JSON names of fields, and look-up of methods by symbol.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any, Final, cast

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
from grpc_reflection.v1alpha import reflection
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest

from . import _requests as requests
from ._anonymous import AnonymousCalls, SerialReader
from ._calls import Call

_CALLS: Final = 10
"""The maximum number of open calls; reflection is for developers."""


class _Pool:
    """A descriptor pool with the files of some services and their imports.

    Args:
        services: the full names of the services; their stubs must be imported.

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
    """Sets the JSON names of a message's fields, as protoc does; Python's stubs lack them."""
    for field in message.field:
        field.json_name = descriptor.fields_by_name[field.name].json_name
    for nested in message.nested_type:
        _name_in_json(nested, descriptor.nested_types_by_name[nested.name])


class Reflection:
    """The reflection service, which needs no authentication.

    Args:
        services: the full names of the server's other services.

    """

    def __init__(self, services: Iterable[str]) -> None:
        names = (*services, reflection.SERVICE_NAME)
        pool = cast("descriptor_pool.DescriptorPool", _Pool(names))
        self._servicer = reflection.aio.ReflectionServicer(names, pool=pool)
        self._reader = SerialReader(_CALLS, contended_timeout=1.0, timeout=10.0)
        self._calls = AnonymousCalls(_CALLS, per_connection=4)

    def handler(self) -> grpc.GenericRpcHandler:
        """Returns the service's handler, for a `grpc.aio` server."""
        methods = {"ServerReflectionInfo": self._calls.handler("ServerReflectionInfo", self._info)}
        return grpc.method_handlers_generic_handler(reflection.SERVICE_NAME, methods)

    async def _info(self, call: Call) -> None:
        info: Any = self._servicer.ServerReflectionInfo  # an async generator, unlike in its stubs
        async for response in info(self._requests(call), None):  # it does not use the context
            await call.write(response.SerializeToString())

    async def _requests(self, call: Call) -> AsyncIterator[ServerReflectionRequest]:
        while (data := await self._reader.read(call)) is not None:
            yield requests.parse(ServerReflectionRequest, data)
