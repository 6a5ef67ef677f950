"""`openresponses gateway`."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
import grpc

from ..client import AsyncEventStreamClient, StreamError
from ..server._logs import LogFormat, set_up_logs
from ..server._server import ListenError, is_local
from ..server._tls import CredentialsError, check_server_files
from ._common import fail, file_path
from ._connect import Connection, with_connection
from ._failures import error_line, exit_status
from ._listen import LISTEN_HELP, announce_until_stopped, announced_metrics, check_metrics_address, with_log_options
from ._options import PREFIX, option
from ._statuses import ExitStatusHelp

if TYPE_CHECKING:
    from ..gateway._server import ServerFiles

DEFAULT_LISTEN = "127.0.0.1:8080"


@click.command(cls=ExitStatusHelp, short_help="Serve streams over HTTP to browsers, curl and SDKs.")
@with_connection
# `serve` has options with the same names, so these need environment variables of their own.
@option(
    "--listen",
    metavar="ADDR",
    default=DEFAULT_LISTEN,
    show_default=True,
    envvar=f"{PREFIX}GATEWAY_LISTEN",
    help=LISTEN_HELP,
)
@option("--listen-tls-cert", metavar="FILE", type=file_path, help="Serve HTTPS with this certificate chain (PEM).")
@option("--listen-tls-key", metavar="FILE", type=file_path, help="Private key of the certificate (PEM).")
@option(
    "--listen-tls-client-ca",
    metavar="FILE",
    type=file_path,
    help="Require a client certificate issued by a root certificate in FILE (PEM).",
)
@option(
    "--insecure",
    is_flag=True,
    envvar=f"{PREFIX}GATEWAY_INSECURE",
    help="Allow serving without HTTPS or authentication on an address that other machines can reach. Also applies to"
    " --metrics, which supports neither. On a loopback address, accept any Host header.",
)
@option(
    "--cors-origin",
    "cors_origins",
    metavar="ORIGIN",
    multiple=True,
    help="Allow pages of this origin, such as https://app.example, to read. Repeatable.",
)
@option(
    "--metrics",
    metavar="HOST:PORT",
    envvar=f"{PREFIX}GATEWAY_METRICS",
    help="Serve Prometheus metrics over HTTP on this address.",
)
@with_log_options(f"{PREFIX}GATEWAY_")
def gateway(
    connection: Connection,
    listen: str,
    listen_tls_cert: Path | None,
    listen_tls_key: Path | None,
    listen_tls_client_ca: Path | None,
    insecure: bool,
    cors_origins: tuple[str, ...],
    metrics: str | None,
    log_format: LogFormat,
    log_level: str,
) -> None:
    """Serve streams over HTTP, like the Responses API.

    GET /v1/responses/ID?stream=true returns the events of stream ID as server-sent events. starting_after=N returns
    only the events after sequence number N, and a Last-Event-ID header those after that event. With wait=SECONDS, the
    request waits for a stream that does not exist yet. Without stream=true, the gateway returns the response in its
    current state.

    The gateway forwards the bearer token of a request to the server, which authorizes it. Requests without a token use
    the one of --token-file. An address that other machines can reach requires --listen-tls-cert, and either a
    server with --tokens or --listen-tls-client-ca. The gateway is stateless: run any number of them.

    When it is ready, the gateway prints its address. On SIGTERM or Ctrl-C it aborts the streams, and their readers
    resume at another gateway. It requires the dependencies of the http extra.
    """
    try:
        from ..gateway import Gateway, running_gateway
    except ModuleNotFoundError as error:
        fail(f"{error.name} is not installed: install openresponses-grpc with its http extra")
    check_metrics_address(metrics, insecure=insecure)
    set_up_logs(log_format, log_level)
    for origin in cors_origins:
        _check_origin(origin)
    files = _files(listen_tls_cert, listen_tls_key, listen_tls_client_ca)
    public = not (insecure or is_local(listen))
    # Not needed for Unix sockets, which browsers cannot reach, and TLS, where the name must match the certificate.
    local_only = is_local(listen) and not (insecure or files or listen.startswith("unix:"))
    if public and files is None:
        fail(f"{listen} is reachable from other machines: use --listen-tls-cert and --listen-tls-key, or --insecure")

    async def run() -> None:
        server, credentials, token, wait = connection
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(
                AsyncEventStreamClient(server, credentials=credentials, token=token, wait_for_ready=wait)
            )
            if public and not listen_tls_client_ca:
                await _check_authentication(client, connection, listen)
            app = Gateway(client, token=token, cors_origins=cors_origins, local_only=local_only)
            if metrics:
                stack.enter_context(announced_metrics(app.metrics.registry, metrics))
            address = await stack.enter_async_context(running_gateway(app, listen, files=files))
            await announce_until_stopped(address)

    try:
        asyncio.run(run())
    except StreamError as error:
        fail(error_line(error), exit_status(error))
    except (ListenError, ValueError) as error:
        fail(str(error))


async def _check_authentication(client: AsyncEventStreamClient, connection: Connection, listen: str) -> None:
    """Exits if readers need no authentication; raises StreamError if the server is not available."""
    if connection.token is not None:
        fail(
            f"{listen} is reachable from other machines, and the gateway would use its own token for anyone: remove the"
            " token, or use --listen-tls-client-ca or --insecure"
        )
    try:
        await client.get_stream("")
    except StreamError as error:
        if error.code is grpc.StatusCode.UNAUTHENTICATED:
            return
        if error.code is not grpc.StatusCode.INVALID_ARGUMENT:
            raise
    fail(
        f"{listen} is reachable from other machines, and the server at {connection.server} requires no token: start it"
        " with --tokens, or use --listen-tls-client-ca or --insecure"
    )


def _files(cert: Path | None, key: Path | None, client_ca: Path | None) -> ServerFiles | None:
    from ..gateway._server import ServerFiles

    if cert is None and key is None and client_ca is None:
        return None
    if cert is None or key is None:
        raise click.UsageError(
            "--listen-tls-cert and --listen-tls-key must be used together, and --listen-tls-client-ca requires them"
        )
    try:
        check_server_files(cert, key, client_ca)
    except CredentialsError as error:
        fail(str(error))
    return ServerFiles(cert, key, client_ca)


def _check_origin(origin: str) -> None:
    parts = urlsplit(origin)
    if parts.scheme not in ("http", "https") or f"{parts.scheme}://{parts.netloc}" != origin or not parts.netloc:
        raise click.BadParameter(
            f"{origin!r} is not an origin: use SCHEME://HOST[:PORT] without a path, such as https://app.example",
            param_hint="--cors-origin",
        )
