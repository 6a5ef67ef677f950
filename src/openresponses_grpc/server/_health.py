"""The health service (`grpc.health.v1.Health`), which needs no authentication.

It replaces that of grpcio-health-checking, in which each call holds the requested service name, of any size.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

import grpc
from grpc_health.v1 import health
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from . import _requests as requests
from ._anonymous import AnonymousCalls, SerialReader
from ._calls import Call
from ._errors import ShuttingDownError, UnknownServiceError

_CHECKS: Final = 100
_WATCHES: Final = 1000
_PER_CONNECTION: Final = 4
"""The maximum numbers of open calls. Watch has its own limit because its calls last."""

_CONTENDED_TIMEOUT: Final = 0.02
_TIMEOUT: Final = 1.0
"""Seconds for a request. Unless the event loop is busy, the last of 100 callers waits at most two seconds."""


class Health:
    """The health service of a server.

    Args:
        services: the names of its services, besides the empty name of the whole server.

    """

    def __init__(self, services: Iterable[str]) -> None:
        self._statuses = dict.fromkeys(("", *services), HealthCheckResponse.NOT_SERVING)
        self._changed = asyncio.Event()
        self._reader = SerialReader(_CHECKS, contended_timeout=_CONTENDED_TIMEOUT, timeout=_TIMEOUT)
        self._checks = AnonymousCalls(_CHECKS, per_connection=_PER_CONNECTION)
        self._watches = AnonymousCalls(_WATCHES, per_connection=_PER_CONNECTION)
        self._stopping = False

    def handler(self) -> grpc.GenericRpcHandler:
        """Returns the service's handler, for a `grpc.aio` server."""
        methods = {
            "Check": self._checks.handler("Check", self._check),
            "Watch": self._watches.handler("Watch", self._watch),
        }
        return grpc.method_handlers_generic_handler(health.SERVICE_NAME, methods)

    def set(self, service: str, status: HealthCheckResponse.ServingStatus) -> None:
        """Sets the status of a known service. It has no effect after `stop`."""
        if not self._stopping:
            self._statuses[service] = status
            self._changed.set()
            self._changed = asyncio.Event()

    def stop(self) -> None:
        """Sets NOT_SERVING for all services permanently, and ends the Watch calls."""
        for service in self._statuses:
            self.set(service, HealthCheckResponse.NOT_SERVING)
        self._stopping = True

    async def _check(self, call: Call) -> None:
        service = await self._service(call)
        await call.write(self._response(service))

    async def _watch(self, call: Call) -> None:
        service = await self._service(call)
        sent = None
        while True:
            changed, stopping = self._changed, self._stopping
            if sent != (sent := self._statuses[service]):
                await call.write(self._response(service))
            if stopping:
                raise ShuttingDownError("the server is shutting down")
            with call.waiting:
                await changed.wait()

    async def _service(self, call: Call) -> str:
        """Reads a request, and returns the service that it names."""
        service: str = requests.parse(HealthCheckRequest, await self._reader.read(call)).service
        if service not in self._statuses:
            known = ", ".join(map(repr, self._statuses))
            raise UnknownServiceError(f"unknown service; the server has {known}")
        return service

    def _response(self, service: str) -> bytes:
        data: bytes = HealthCheckResponse(status=self._statuses[service]).SerializeToString()
        return data
