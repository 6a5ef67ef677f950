"""gRPC reflection, for tools that ask a server what it serves.

grpcio-reflection answers out of a pool of descriptors. Python's own lacks what tools such as ghz count on and this
one has: the fields' names in JSON, and methods among the symbols that are looked for.
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
from ._anonymous import AnonymousCalls, Turns
from ._calls import Call

_CALLS: Final = 10
"""Calls at one time: it is a service for developers."""


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


class Reflection:
    """The reflection service: it tells everyone what a server serves.

    Args:
        services: the full names of the others.

    """

    def __init__(self, services: Iterable[str]) -> None:
        names = (*services, reflection.SERVICE_NAME)
        pool = cast("descriptor_pool.DescriptorPool", _Pool(names))
        self._servicer = reflection.aio.ReflectionServicer(names, pool=pool)
        self._turns = Turns(_CALLS, turn=1.0, patience=10.0)
        self._calls = AnonymousCalls(_CALLS, per_connection=4)

    def handler(self) -> grpc.GenericRpcHandler:
        """The service's method, to be added to a `grpc.aio` server."""
        handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(self._info)
        return grpc.method_handlers_generic_handler(reflection.SERVICE_NAME, {"ServerReflectionInfo": handler})

    async def _info(self, _: object, context: Any) -> None:
        async with self._calls.call("ServerReflectionInfo", context) as call:
            info: Any = self._servicer.ServerReflectionInfo  # an async generator, whatever its stubs say
            async for response in info(self._requests(call), context):
                await call.write(response.SerializeToString())

    async def _requests(self, call: Call) -> AsyncIterator[ServerReflectionRequest]:
        while (data := await self._turns.read(call)) is not None:
            yield requests.parse(ServerReflectionRequest, data)
