"""Runs a gRPC server with the stream service, health and reflection."""

from __future__ import annotations

import asyncio
import resource
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
"""The default time in seconds that a stopping server gives its calls to end."""

RESERVED: Final = 128
"""Files reserved for other uses than connections: the store, logs, metrics, gRPC itself."""

MAX_CONNECTIONS: Final = 10_000
"""The default maximum number of open connections."""

OPTIONS: Final[list[tuple[str, int]]] = [
    # A second server on the port must fail instead of silently receiving half of the calls.
    ("grpc.so_reuseport", 0),
    # Beyond the default of 1,000 pending calls, gRPC cancels legitimate calls.
    ("grpc.server.max_pending_requests", 10_000),
    ("grpc.server.max_pending_requests_hard_limit", 20_000),
    # By default, gRPC cancels calls that have waited 30 seconds for a busy server. Their own deadlines may be longer.
    ("grpc.server_max_unrequested_time_in_server", 3_600),
    # At 100 streams per connection, a client that opens and cancels calls rapidly does not starve the others.
    ("grpc.max_concurrent_streams", 100),
    # A peer that disappears is detected within 30 seconds, and its calls end. The ping timeout must be lowered too:
    # its default of 60 seconds overrides the keepalive timeout. By default, an idle connection gets only two pings.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    # Clients may send a keepalive ping every 20 seconds; by default, the server replies with GOAWAY.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # A connection without calls, or one that does not complete its handshake, is closed within seconds.
    ("grpc.server_handshake_timeout_ms", 5_000),
    ("grpc.max_connection_idle_ms", 3_000),
    # No compression: a few kilobytes could inflate to the maximum message size.
    ("grpc.compression_enabled_algorithms_bitset", 1),
    # The data buffered per call before it is read. BDP probes would raise it to megabytes.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 256 << 10),
]


def is_local(listen: str) -> bool:
    """Whether an address is local: a Unix socket, `localhost:PORT`, or a loopback IP address and port.

    Other host names are not resolved, and count as reachable from other machines.
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
    """The server cannot listen on its address."""


@asynccontextmanager
async def running_server(
    service: StreamService,
    listen: str,
    *,
    credentials: grpc.ServerCredentials | None = None,
    max_message_bytes: int = raw_messages.MAX_REQUEST_BYTES,
    max_connections: int = MAX_CONNECTIONS,
    reflect: bool = False,
    grace: float = DRAIN_SECONDS,
) -> AsyncIterator[str]:
    """Runs a server while the context is open, then drains it.

    Health is SERVING while the store is writable, else NOT_SERVING. Draining sets health to NOT_SERVING and ends every
    call with UNAVAILABLE; all acknowledged events are stored.

    Args:
        service: the service.
        listen: `host:port`, where port 0 picks a free port, or `unix:PATH`.
        credentials: the TLS credentials; None for plain text.
        max_message_bytes: the maximum size of a request.
        max_connections: the maximum number of open connections; further ones are closed immediately.
        reflect: whether to serve reflection, which lists the services without authentication.
        grace: seconds for the calls to end while draining.

    Yields:
        The address, with the actual port.

    Raises:
        ListenError: the server cannot listen on the address.

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
        raise ListenError(f"cannot listen on {listen}: is the port free and the host local?") from error

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
            # The status of an ended call may still be unsent if its peer does not read.
            await server.stop(max(0.0, ends_at - asyncio.get_running_loop().time()))


def stop_signal() -> asyncio.Future[signal.Signals]:
    """Catches SIGTERM and SIGINT from now on, and returns a future of the first one."""
    received: asyncio.Future[signal.Signals] = asyncio.get_running_loop().create_future()

    def receive(number: signal.Signals) -> None:
        if not received.done():
            received.set_result(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, receive, number)
    return received


def raise_file_limit() -> int:
    """Raises the soft limit on open files to the hard limit, and returns the resulting limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):  # some systems allow less than they report
            return soft
    return hard


def connections(wanted: int | None, most: int, files: int) -> int:
    """Returns the maximum number of connections for a limit on open files.

    Args:
        wanted: the number wanted; None for as many as possible, up to `most`.
        most: see `wanted`.
        files: the limit on open files; negative means unlimited.

    Raises:
        ValueError: the limit is too low for `wanted`, or for a single connection.

    """
    possible = files - RESERVED if files >= 0 else max(wanted or 0, most)
    if possible < (wanted or 1):
        raise ValueError(
            f"{wanted or 1} connections and {RESERVED} other files exceed the system's limit of {files} open files:"
            " raise its hard limit (ulimit -Hn, LimitNOFILE=), or allow fewer connections"
        )
    return wanted or min(most, possible)
