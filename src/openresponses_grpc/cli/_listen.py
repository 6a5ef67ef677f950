"""Options for addresses, TLS, tokens, logs and metrics of the commands that serve."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click
from prometheus_client import CollectorRegistry

from ..client._channel import DEFAULT_SERVER
from ..server._auth import InvalidTokensError
from ..server._logs import LOG_FORMATS
from ..server._metrics import exposed_metrics
from ..server._reload import Reloaded, read_tokens
from ..server._server import is_local, stop_signal
from ..server._tls import CredentialsError, ServerFiles, read_server_files
from ._common import fail, file_path, options
from ._options import PREFIX, option

T = TypeVar("T")

LISTEN_HELP = "Address to listen on: HOST:PORT, where port 0 selects a free port, or unix:PATH."

_OPTIONS = [
    option(
        "--listen",
        metavar="ADDR",
        default=DEFAULT_SERVER,
        show_default=True,
        help=LISTEN_HELP,
    ),
    # Client commands have options with the same names, so these need environment variables of their own.
    option(
        "--tls-cert",
        metavar="FILE",
        type=file_path,
        envvar=f"{PREFIX}SERVE_TLS_CERT",
        help="Serve TLS with this certificate chain (PEM).",
    ),
    option(
        "--tls-key",
        metavar="FILE",
        type=file_path,
        envvar=f"{PREFIX}SERVE_TLS_KEY",
        help="Private key of the certificate (PEM).",
    ),
    option(
        "--tls-client-ca",
        metavar="FILE",
        type=file_path,
        help="Require a client certificate issued by a root certificate in FILE (PEM).",
    ),
    option(
        "--tokens",
        "tokens_file",
        metavar="FILE",
        type=file_path,
        help="Require a bearer token from this TOML file, which lists the digest, permissions, streams and share of"
        " each token. The server reloads it, and the TLS files, on change and on SIGHUP.",
    ),
    option(
        "--insecure",
        is_flag=True,
        help="Allow serving without TLS or authentication on an address that other machines can reach. Also applies to"
        " --metrics, which supports neither.",
    ),
]


def with_log_options(prefix: str = PREFIX) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Adds the log options to a command, which gets them as the arguments `log_format` and `log_level`.

    Args:
        prefix: prefix of their environment variables.

    """
    return functools.partial(
        options,
        [
            option(
                "--log-format",
                type=click.Choice(LOG_FORMATS),
                default="text",
                show_default=True,
                envvar=f"{prefix}LOG_FORMAT",
                help="Format of the log on standard error.",
            ),
            option(
                "--log-level",
                type=click.Choice(("debug", "info", "warning", "error")),
                default="info",
                show_default=True,
                envvar=f"{prefix}LOG_LEVEL",
                help="Minimum level to log. info logs a line for each completed call.",
            ),
        ],
    )


def with_listen_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the address options to a command: the arguments `listen`, `tls`, `tokens` and `insecure`."""

    @functools.wraps(command)
    def wrapper(
        listen: str,
        tls_cert: Path | None,
        tls_key: Path | None,
        tls_client_ca: Path | None,
        tokens_file: Path | None,
        insecure: bool,
        **arguments: Any,
    ) -> None:
        tls = _tls(tls_cert, tls_key, tls_client_ca)
        tokens = _reloaded([tokens_file], partial(read_tokens, tokens_file)) if tokens_file else None
        if not (insecure or is_local(listen) or (tls and (tokens or tls_client_ca))):
            fail(
                f"{listen} is reachable from other machines: use --tls-cert and --tls-key, with --tokens or"
                " --tls-client-ca, or use --insecure"
            )
        command(listen=listen, tls=tls, tokens=tokens, insecure=insecure, **arguments)

    return options(_OPTIONS, wrapper)


def check_metrics_address(metrics: str | None, *, insecure: bool) -> None:
    """Exits if other machines could read the metrics and `insecure` is false."""
    if metrics and metrics.rpartition(":")[2].isdigit() and not (insecure or is_local(metrics)):
        fail(
            f"{metrics} is reachable from other machines, and metrics require no token: use a loopback address for"
            " --metrics, or --insecure"
        )


@contextmanager
def announced_metrics(registry: CollectorRegistry, metrics: str) -> Iterator[None]:
    """Exposes the metrics at the address of --metrics until the context exits, and prints their URL."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(exposed_metrics(registry, metrics))
        except (OSError, OverflowError, ValueError) as error:
            raise click.BadParameter(f"cannot listen on {metrics}: {error}", param_hint="--metrics") from None
        click.echo(f"metrics at {url}")
        yield


def _tls(cert: Path | None, key: Path | None, client_ca: Path | None) -> Reloaded[ServerFiles] | None:
    if cert is None and key is None and client_ca is None:
        return None
    if cert is None or key is None:
        raise click.UsageError("--tls-cert and --tls-key must be used together, and --tls-client-ca requires them")
    files = [file for file in (cert, key, client_ca) if file]
    return _reloaded(files, partial(read_server_files, cert, key, client_ca))


def _reloaded(files: Sequence[Path], read: Callable[[], T]) -> Reloaded[T]:
    try:
        return Reloaded(files, read)
    except (CredentialsError, InvalidTokensError, OSError) as error:
        fail(str(error))


async def announce_until_stopped(address: str) -> None:
    """Prints the address of a running server, and waits for SIGTERM or Ctrl-C."""
    stopped = stop_signal()  # before the address is printed: from then on, others may stop the process
    click.echo(f"listening on {address}")
    await stopped
    click.echo("stopping")
