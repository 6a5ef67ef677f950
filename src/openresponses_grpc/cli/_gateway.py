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
from ..server._metrics import exposed_metrics
from ..server._server import ListenError, is_local, stop_signal
from ..server._tls import CredentialsError, check_server_files
from ._common import fail, file_path
from ._connect import Connection, names_server
from ._failures import line_of, status_of
from ._listen import check_metrics_address, logs
from ._option import PREFIX, option
from ._statuses import ListsStatuses

if TYPE_CHECKING:
    from ..gateway._server import ServerFiles

DEFAULT_LISTEN = "127.0.0.1:8080"


@click.command(cls=ListsStatuses, short_help="Serve streams over HTTP, to browsers, curl and SDKs.")
@names_server
# `serve` has options of these names, too, and another address.
@option(
    "--listen",
    metavar="ADDR",
    default=DEFAULT_LISTEN,
    show_default=True,
    envvar=f"{PREFIX}GATEWAY_LISTEN",
    help="HOST:PORT, where port 0 takes a free one, or unix:PATH.",
)
@option(
    "--listen-tls-cert", metavar="FILE", type=file_path, help="Serve HTTPS with this certificate and its chain (PEM)."
)
@option("--listen-tls-key", metavar="FILE", type=file_path, help="The certificate's private key (PEM).")
@option(
    "--listen-tls-client-ca",
    metavar="FILE",
    type=file_path,
    help="Serve only readers with a certificate of these roots (PEM).",
)
@option(
    "--insecure",
    is_flag=True,
    envvar=f"{PREFIX}GATEWAY_INSECURE",
    help="Listen where other machines reach it even without HTTPS, or where nobody authenticates the readers; the same"
    " for --metrics, which has neither. On a local port, serve whatever Host a request names.",
)
@option(
    "--cors-origin",
    "cors_origins",
    metavar="ORIGIN",
    multiple=True,
    help="Let pages of this origin read, such as https://app.example; can be repeated.",
)
@option(
    "--metrics", metavar="HOST:PORT", envvar=f"{PREFIX}GATEWAY_METRICS", help="Expose Prometheus metrics over HTTP."
)
@logs(f"{PREFIX}GATEWAY_")
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
    """Serve the streams of a server over HTTP, as the API does.

    GET /v1/responses/ID?stream=true sends the events of the stream ID as server-sent events. With starting_after=N
    they start after the sequence number N; with a Last-Event-ID header, after that event. With wait=SECONDS the
    request waits for a stream that does not exist yet. Without stream=true it sends the response in its current state.

    The gateway passes the bearer token of a request on to the server, which decides; --token-file is for requests
    without one. An address that other machines can reach is refused without --listen-tls-cert, and unless the server
    asks for tokens or --listen-tls-client-ca is given. The gateway keeps no state: run as many as you like.

    It prints its address when it is ready. On SIGTERM or Ctrl-C it cuts the streams off; their readers resume at
    another gateway. It needs the extra http: pip install 'openresponses-grpc[http]'.
    """
    try:
        from ..gateway import Gateway, running_gateway
    except ModuleNotFoundError as error:
        fail(f"{error.name} is missing: pip install 'openresponses-grpc[http]'")
    check_metrics_address(metrics, insecure=insecure)
    set_up_logs(log_format, log_level)
    for origin in cors_origins:
        _check_origin(origin)
    files = _files(listen_tls_cert, listen_tls_key, listen_tls_client_ca)
    public = not (insecure or is_local(listen))
    # A browser does not reach a socket, and rejects a certificate of another name.
    local_only = is_local(listen) and not (insecure or files or listen.startswith("unix:"))
    if public and files is None:
        fail(f"{listen} can be reached from other machines: give --listen-tls-cert and --listen-tls-key, or --insecure")

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
                try:
                    url = stack.enter_context(exposed_metrics(app.metrics.registry, metrics))
                except (OSError, OverflowError, ValueError) as error:
                    raise click.BadParameter(f"cannot listen at {metrics}: {error}", param_hint="--metrics") from None
                click.echo(f"metrics at {url}")
            address = await stack.enter_async_context(running_gateway(app, listen, files=files))
            click.echo(f"listening on {address}")
            await stop_signal()
            click.echo("stopping")

    try:
        asyncio.run(run())
    except StreamError as error:
        fail(line_of(error), status_of(error))
    except (ListenError, ValueError) as error:
        fail(str(error))


async def _check_authentication(client: AsyncEventStreamClient, connection: Connection, listen: str) -> None:
    """Ends the command where anybody could read; raises StreamError where the server cannot be asked."""
    if connection.token is not None:
        fail(
            f"{listen} can be reached from other machines, and the gateway would show its own token for everybody:"
            " leave the token out, or give --listen-tls-client-ca, or --insecure"
        )
    try:
        await client.get_stream("")
    except StreamError as error:
        if error.code is grpc.StatusCode.UNAUTHENTICATED:
            return
        if error.code is not grpc.StatusCode.INVALID_ARGUMENT:
            raise
    fail(
        f"{listen} can be reached from other machines, and the server at {connection.server} serves readers without a"
        " token: start it with --tokens, or give --listen-tls-client-ca, or --insecure"
    )


def _files(cert: Path | None, key: Path | None, client_ca: Path | None) -> ServerFiles | None:
    from ..gateway._server import ServerFiles

    if cert is None and key is None and client_ca is None:
        return None
    if cert is None or key is None:
        raise click.UsageError(
            "--listen-tls-cert and --listen-tls-key go together, and --listen-tls-client-ca with them"
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
            f"{origin!r} is not an origin: give SCHEME://HOST[:PORT], without a path, such as https://app.example",
            param_hint="--cors-origin",
        )
