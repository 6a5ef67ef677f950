"""How `publish` and `subscribe` reach their server: the options, and the client that they make."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click
import grpc

from ..client import SyncEventStreamClient
from ..client.channel import DEFAULT_TARGET
from ..tls import CredentialsError, channel_credentials
from .common import fail, file_path, options

TOKEN_VARIABLE: Final = "OPENRESPONSES_TOKEN"  # noqa: S105 - not the token itself

_OPTIONS = [
    click.option(
        "--server", metavar="ADDR", default=DEFAULT_TARGET, show_default=True, help="The server, as host:port."
    ),
    click.option("--tls", is_flag=True, help="Connect with TLS; every other --tls option means this, too."),
    click.option(
        "--tls-ca", metavar="FILE", type=file_path, help="The roots to trust (PEM).  [default: those gRPC comes with]"
    ),
    click.option("--tls-cert", metavar="FILE", type=file_path, help="The certificate to show the server (PEM)."),
    click.option("--tls-key", metavar="FILE", type=file_path, help="The certificate's private key (PEM)."),
    click.option(
        "--token-file",
        metavar="FILE",
        type=file_path,
        help=f"The bearer token to show the server.  [default: that in ${TOKEN_VARIABLE}, if there is one]",
    ),
]


def connects(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options for its server; they reach it as the argument `client`."""

    @functools.wraps(command)
    def connected(
        server: str,
        tls: bool,
        tls_ca: Path | None,
        tls_cert: Path | None,
        tls_key: Path | None,
        token_file: Path | None,
        **arguments: Any,
    ) -> None:
        if (tls_cert is None) != (tls_key is None):
            raise click.UsageError("--tls-cert and --tls-key go together")
        credentials: grpc.ChannelCredentials | None = None
        try:
            if tls or tls_ca or tls_cert:
                credentials = channel_credentials(tls_ca, tls_cert, tls_key)
            client = SyncEventStreamClient(server, credentials=credentials, token=_token(token_file))
        except (CredentialsError, ValueError) as error:
            fail(str(error))
        command(client=client, **arguments)

    return options(_OPTIONS, connected)


def _token(file: Path | None) -> str | None:
    """The token, which is never an argument: everyone on the machine can see those."""
    return os.environ.get(TOKEN_VARIABLE) if file is None else file.read_bytes().decode("ascii", "replace").strip()
