"""A server around the stream service: its port, its health, its way out."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv6Address
from typing import Final

import grpc
from grpc_health.v1 import health
from grpc_health.v1.health_pb2 import HealthCheckResponse

from ..codec import _raw_messages as raw_messages
from ._health import Health
from ._monitor import Monitor
from ._periodic import every
from ._reflection import Reflection
from ._service import StreamService

DRAIN_SECONDS: Final = 5.0
"""How long a server that is told to stop waits for its calls to end, in seconds."""

MAX_CONNECTIONS: Final = 10_000
"""The connections that may be open at one time, unless it is said."""

OPTIONS: Final[list[tuple[str, int]]] = [
    # A second server on the port is an error, not a silent partner that gets half of the calls.
    ("grpc.so_reuseport", 0),
    # Above the default of 1,000 pending calls a server cancels calls that did nothing wrong.
    ("grpc.server.max_pending_requests", 10_000),
    ("grpc.server.max_pending_requests_hard_limit", 20_000),
    # A client that opens and cancels calls in a row does not starve the others of a server whose connections have 100.
    ("grpc.max_concurrent_streams", 100),
    # A peer that is gone without a word is noticed within 30 seconds, and its calls end. The ping's own timeout of 60
    # caps the other, and while nothing is sent only two pings are by default.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    # A client's keepalive ping every 20 seconds is welcome; the default answers it with GOAWAY.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # A connection that makes no call, or does not get to the point where it could, makes room for others in seconds.
    ("grpc.server_handshake_timeout_ms", 5_000),
    ("grpc.max_connection_idle_ms", 3_000),
    # No message is inflated: a few kilobytes could be all that a message may have.
    ("grpc.compression_enabled_algorithms_bitset", 1),
    # What a peer may send for each call before anybody reads it. Probes would let it grow to megabytes.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 256 << 10),
]


def is_local(listen: str) -> bool:
    """Whether only this machine can reach an address: a Unix socket, `localhost:PORT`, or a port of the loopback.

    Any other name is one that others may reach, whatever it stands for here.
    """
    if listen.startswith(("unix:", "unix-abstract:")):
        return True
    host = listen.rpartition(":")[0]
    if host == "localhost":
        return True
    try:
        return IPv6Address(host[1:-1]).is_loopback if host.startswith("[") else IPv4Address(host).is_loopback
    except ValueError:
        return False


class ListenError(Exception):
    """The server cannot listen at its address."""


@asynccontextmanager
async def running_server(
    service: StreamService,
    listen: str,
    *,
    credentials: grpc.ServerCredentials | None = None,
    max_message_bytes: int = raw_messages.MAX_MESSAGE_BYTES,
    max_connections: int = MAX_CONNECTIONS,
    reflect: bool = False,
    grace: float = DRAIN_SECONDS,
) -> AsyncIterator[str]:
    """Serves for as long as the context lasts, then drains.

    The health service says SERVING while the store can be written, and NOT_SERVING while it cannot.

    To drain is to say NOT_SERVING as the health service and to end every call with UNAVAILABLE; what was acknowledged
    is stored by then.

    Args:
        service: the service, over its store.
        listen: `host:port`, where port 0 takes a free one, or `unix:PATH`.
        credentials: for TLS; None serves plain text.
        max_message_bytes: the largest message that is accepted.
        max_connections: the connections that may be open at one time; another is closed at once.
        reflect: serve reflection, too, which tells everyone what services there are.
        grace: seconds that calls have to end in when the context ends.

    Yields:
        The address, with the port that was taken where it has one.

    Raises:
        ListenError: the address cannot be listened at.

    """
    limits = [
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_allowed_incoming_connections", max_connections),
    ]
    server = grpc.aio.server(options=[*OPTIONS, *limits])
    healthy = Health([raw_messages.SERVICE_NAME])
    server.add_generic_rpc_handlers((service.handler(), healthy.handler()))
    if reflect:
        server.add_generic_rpc_handlers((Reflection((raw_messages.SERVICE_NAME, health.SERVICE_NAME)).handler(),))
    try:
        port = server.add_secure_port(listen, credentials) if credentials else server.add_insecure_port(listen)
    except RuntimeError as error:
        raise ListenError(f"cannot listen at {listen}: is the port taken, and the host one of this machine?") from error

    def set_serving(serving: bool) -> None:
        service.metrics.store_writable.set(serving)
        for name in ("", raw_messages.SERVICE_NAME):
            healthy.set(name, HealthCheckResponse.SERVING if serving else HealthCheckResponse.NOT_SERVING)

    async with every(Monitor(service.store, set_serving).check), every(service.access.expire):
        await server.start()
        try:
            yield listen if listen.startswith("unix") else f"{listen.rpartition(':')[0]}:{port}"
        finally:
            ends_at = asyncio.get_running_loop().time() + grace
            healthy.stop()
            await service.drain(grace)
            # A call that has ended may still have its status on the way, to a peer that does not read perhaps.
            await server.stop(max(0.0, ends_at - asyncio.get_running_loop().time()))


async def stop_signal() -> signal.Signals:
    """Waits for SIGTERM or SIGINT and returns it."""
    received: asyncio.Future[signal.Signals] = asyncio.get_running_loop().create_future()

    def receive(number: signal.Signals) -> None:
        if not received.done():
            received.set_result(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, receive, number)
    return await received
