"""The address of `serve` and the callers that it admits: the options, and what they make."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from ..client._channel import DEFAULT_SERVER
from ..server._auth import InvalidTokensError
from ..server._logs import LOG_FORMATS
from ..server._reload import Reloaded, read_tokens
from ..server._server import is_local
from ..server._tls import CredentialsError, ServerFiles, read_server_files
from ._common import fail, file_path, options
from ._option import PREFIX, option

T = TypeVar("T")

_OPTIONS = [
    option(
        "--listen",
        metavar="ADDR",
        default=DEFAULT_SERVER,
        show_default=True,
        help="HOST:PORT, where port 0 takes a free one, or unix:PATH.",
    ),
    # Clients have options of these names, too, and another certificate.
    option(
        "--tls-cert",
        metavar="FILE",
        type=file_path,
        envvar=f"{PREFIX}SERVE_TLS_CERT",
        help="Serve TLS with this certificate and its chain (PEM).",
    ),
    option(
        "--tls-key",
        metavar="FILE",
        type=file_path,
        envvar=f"{PREFIX}SERVE_TLS_KEY",
        help="The certificate's private key (PEM).",
    ),
    option(
        "--tls-client-ca",
        metavar="FILE",
        type=file_path,
        help="Serve only clients with a certificate of these roots (PEM).",
    ),
    option(
        "--tokens",
        "tokens_file",
        metavar="FILE",
        type=file_path,
        help="Serve only callers that show one of these bearer tokens: a TOML file with the digest of each, what it may"
        " do, on which streams, and its share of the server. The server reads it again when it changes and on SIGHUP,"
        " as it does the files of TLS.",
    ),
    option(
        "--insecure",
        is_flag=True,
        help="Listen where other machines reach it even without TLS, or without --tokens and --tls-client-ca; the same"
        " for --metrics, which has neither.",
    ),
]


def logs(prefix: str = PREFIX) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command that serves the options for its log; they reach it as `log_format` and `log_level`.

    Args:
        prefix: how the names of their environment variables begin.

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
                help="How the lines on standard error are written.",
            ),
            option(
                "--log-level",
                type=click.Choice(("debug", "info", "warning", "error")),
                default="info",
                show_default=True,
                envvar=f"{prefix}LOG_LEVEL",
                help="From which level on; info has a line for each call that has ended.",
            ),
        ],
    )


def listens(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options for its address; they reach it as `listen`, `tls`, `tokens` and `insecure`."""

    @functools.wraps(command)
    def listening(
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
                f"{listen} can be reached from other machines: give --tls-cert and --tls-key, and --tokens or"
                " --tls-client-ca, or say --insecure"
            )
        command(listen=listen, tls=tls, tokens=tokens, insecure=insecure, **arguments)

    return options(_OPTIONS, listening)


def check_metrics_address(metrics: str | None, *, insecure: bool) -> None:
    """Ends the command if others could read the metrics, unless `insecure` allows it."""
    if metrics and metrics.rpartition(":")[2].isdigit() and not (insecure or is_local(metrics)):
        fail(
            f"{metrics} can be reached from other machines, and metrics need no token: give --metrics an address of the"
            " loopback, or --insecure"
        )


def _tls(cert: Path | None, key: Path | None, client_ca: Path | None) -> Reloaded[ServerFiles] | None:
    if cert is None and key is None and client_ca is None:
        return None
    if cert is None or key is None:
        raise click.UsageError("--tls-cert and --tls-key go together, and --tls-client-ca with them")
    files = [file for file in (cert, key, client_ca) if file]
    return _reloaded(files, partial(read_server_files, cert, key, client_ca))


def _reloaded(files: Sequence[Path], read: Callable[[], T]) -> Reloaded[T]:
    try:
        return Reloaded(files, read)
    except (CredentialsError, InvalidTokensError, OSError) as error:
        fail(str(error))
