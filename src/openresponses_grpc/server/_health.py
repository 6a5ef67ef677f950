"""The health service (`grpc.health.v1.Health`): whether the server serves, told to everyone.

grpcio-health-checking has one, too, of which each call holds the name that it asks for: any name, of any size.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

import grpc
from grpc_health.v1 import health
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from . import _requests as requests
from ._anonymous import AnonymousCalls, Turns
from ._calls import Call, ShuttingDownError

_CHECKS: Final = 100
_WATCHES: Final = 1000
_PER_CONNECTION: Final = 4
"""Calls at one time. Those that watch have places of their own: they stay."""

_TURN: Final = 0.02
_PATIENCE: Final = 1.0
"""Seconds for a request: with these, the last of 100 callers waits two seconds for its turn at most."""


class Health:
    """The health service of a server.

    Args:
        services: the names that it knows, next to that of the whole server, which is empty.

    """

    def __init__(self, services: Iterable[str]) -> None:
        self._statuses = dict.fromkeys(("", *services), HealthCheckResponse.NOT_SERVING)
        self._changed = asyncio.Event()
        self._turns = Turns(_CHECKS, turn=_TURN, patience=_PATIENCE)
        self._checks = AnonymousCalls(_CHECKS, per_connection=_PER_CONNECTION)
        self._watches = AnonymousCalls(_WATCHES, per_connection=_PER_CONNECTION)
        self._stopping = False

    def handler(self) -> grpc.GenericRpcHandler:
        """The service's methods, to be added to a `grpc.aio` server.

        Both are handled as streaming ones: gRPC would read the request of a unary one before it calls the method.
        """
        methods: dict[str, Callable[[object, Any], Awaitable[None]]] = {"Check": self._check, "Watch": self._watch}
        handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            name: grpc.stream_stream_rpc_method_handler(method) for name, method in methods.items()
        }
        return grpc.method_handlers_generic_handler(health.SERVICE_NAME, handlers)

    def set(self, service: str, status: HealthCheckResponse.ServingStatus) -> None:
        """Sets the status of a service that it knows, until the server stops."""
        if not self._stopping:
            self._statuses[service] = status
            self._changed.set()
            self._changed = asyncio.Event()

    def stop(self) -> None:
        """Says NOT_SERVING for good, and ends the calls that watch."""
        for service in self._statuses:
            self.set(service, HealthCheckResponse.NOT_SERVING)
        self._stopping = True

    async def _check(self, _: object, context: Any) -> None:
        async with self._checks.call("Check", context) as call:
            service = await self._service(call)
            await call.write(self._response(service))

    async def _watch(self, _: object, context: Any) -> None:
        async with self._watches.call("Watch", context) as call:
            service = await self._service(call)
            told = None
            while True:
                changed, stopping = self._changed, self._stopping
                if told != (told := self._statuses[service]):
                    await call.write(self._response(service))
                if stopping:
                    raise ShuttingDownError("the server is shutting down")
                with call.waiting:
                    await changed.wait()

    async def _service(self, call: Call) -> str:
        """The service that a call asks about."""
        service: str = requests.parse(HealthCheckRequest, await self._turns.read(call)).service
        if service not in self._statuses:
            known = ", ".join(map(repr, self._statuses))
            raise requests.UnknownServiceError(f"unknown service: ask for one of {known}")
        return service

    def _response(self, service: str) -> bytes:
        data: bytes = HealthCheckResponse(status=self._statuses[service]).SerializeToString()
        return data
