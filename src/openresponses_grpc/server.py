"""A server around the stream service: its port, its health, its way out."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from . import wire
from .service import StreamService

DRAIN_SECONDS: Final = 5.0
"""How long a server that is told to stop waits for its calls to end, in seconds."""

OPTIONS: Final[list[tuple[str, int]]] = [
    ("grpc.max_receive_message_length", wire.MAX_MESSAGE_BYTES),
    # A second server on the port is an error, not a silent partner that gets half of the calls.
    ("grpc.so_reuseport", 0),
    # Above the default of 1,000 pending calls a server cancels calls that did nothing wrong.
    ("grpc.server.max_pending_requests", 10_000),
    ("grpc.server.max_pending_requests_hard_limit", 20_000),
    # A client's keepalive ping every 20 seconds is welcome; the default answers it with GOAWAY.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
]


class ListenError(Exception):
    """The server cannot listen at its address."""


@asynccontextmanager
async def running_server(
    service: StreamService, listen: str, *, credentials: grpc.ServerCredentials | None = None
) -> AsyncIterator[str]:
    """Serves for as long as the context lasts, then drains.

    To drain is to say NOT_SERVING as the health service and to end every call with UNAVAILABLE; what was acknowledged
    is stored by then.

    Args:
        service: the service, over its store.
        listen: `host:port`, where port 0 takes a free one, or `unix:PATH`.
        credentials: for TLS; None serves plain text.

    Yields:
        The address, with the port that was taken.

    Raises:
        ListenError: the address cannot be listened at.

    """
    server = grpc.aio.server(options=OPTIONS)
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    server.add_generic_rpc_handlers((service.handler(),))
    try:
        port = server.add_secure_port(listen, credentials) if credentials else server.add_insecure_port(listen)
    except RuntimeError as error:
        raise ListenError(f"cannot listen at {listen}: is the port taken, and the host one of this machine?") from error
    await server.start()
    for name in ("", wire.SERVICE_NAME):
        await servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
    try:
        yield f"{listen.rpartition(':')[0]}:{port}"
    finally:
        await servicer.enter_graceful_shutdown()
        await service.drain(DRAIN_SECONDS)
        await server.stop(DRAIN_SECONDS)


async def stop_signal() -> signal.Signals:
    """Waits for SIGTERM or SIGINT and returns it."""
    received: asyncio.Future[signal.Signals] = asyncio.get_running_loop().create_future()

    def receive(number: signal.Signals) -> None:
        if not received.done():
            received.set_result(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, receive, number)
    return await received
