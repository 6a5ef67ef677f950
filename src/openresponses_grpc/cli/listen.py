"""The address of `serve` and the callers that it admits: the options, and what they make."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import grpc

from ..auth import InvalidTokensError, Tokens, parse_tokens
from ..client.channel import DEFAULT_TARGET
from ..server import is_local
from ..tls import CredentialsError, server_credentials
from .common import fail, file_path, options
from .option import PREFIX, option

_OPTIONS = [
    option(
        "--listen",
        metavar="ADDR",
        default=DEFAULT_TARGET,
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
        " do, on which streams, and its share of the server.",
    ),
    option(
        "--insecure",
        is_flag=True,
        help="Listen where other machines reach it even without TLS, or without --tokens and --tls-client-ca.",
    ),
]


def listens(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options for its address; they reach it as `listen`, `credentials` and `tokens`."""

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
        credentials = _credentials(tls_cert, tls_key, tls_client_ca)
        tokens = _tokens(tokens_file) if tokens_file else None
        if not (insecure or is_local(listen) or (credentials and (tokens or tls_client_ca))):
            fail(
                f"{listen} can be reached from other machines: give --tls-cert and --tls-key, and --tokens or"
                " --tls-client-ca, or say --insecure"
            )
        command(listen=listen, credentials=credentials, tokens=tokens, **arguments)

    return options(_OPTIONS, listening)


def _credentials(cert: Path | None, key: Path | None, client_ca: Path | None) -> grpc.ServerCredentials | None:
    if cert is None and key is None and client_ca is None:
        return None
    if cert is None or key is None:
        raise click.UsageError("--tls-cert and --tls-key go together, and --tls-client-ca with them")
    try:
        return server_credentials(cert, key, client_ca)
    except CredentialsError as error:
        fail(str(error))


def _tokens(file: Path) -> Tokens:
    try:
        return parse_tokens(file.read_text(encoding="utf-8"))
    except (InvalidTokensError, UnicodeDecodeError) as error:
        fail(f"{file}: {error}")
