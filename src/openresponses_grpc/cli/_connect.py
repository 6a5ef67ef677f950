"""The server of a command: the options for it, the client that they make, and the errors of its calls."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
import grpc

from ..client import EventStreamClient, StreamError
from ..client._channel import DEFAULT_SERVER
from ..server._tls import CredentialsError, channel_credentials
from ._common import fail, file_path, options
from ._failures import line_of, status_of
from ._option import PREFIX, option
from ._tally import note

TOKEN_VARIABLE: Final = f"{PREFIX}TOKEN"

_OPTIONS = [
    option("--server", metavar="ADDR", default=DEFAULT_SERVER, show_default=True, help="The server, as HOST:PORT."),
    option("--wait", is_flag=True, help="Wait for a server that is not up yet, instead of failing."),
    option("--tls", is_flag=True, help="Connect with TLS; every other --tls option implies it."),
    option(
        "--tls-ca", metavar="FILE", type=file_path, help="The roots to trust (PEM).  [default: those gRPC comes with]"
    ),
    option("--tls-cert", metavar="FILE", type=file_path, help="The certificate to show the server (PEM)."),
    option("--tls-key", metavar="FILE", type=file_path, help="The certificate's private key (PEM)."),
    option(
        "--token-file",
        metavar="FILE",
        type=file_path,
        help=f"The bearer token to show the server.  [default: the token in ${TOKEN_VARIABLE}, if any]",
    ),
]


class Connection(NamedTuple):
    """The server that the options name, and what to show it; `credentials` is None without TLS."""

    server: str
    credentials: grpc.ChannelCredentials | None
    token: str | None
    wait_for_ready: bool


def names_server(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options for its server; they reach it as the argument `connection`."""

    @functools.wraps(command)
    def named(
        server: str,
        wait: bool,
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
        except CredentialsError as error:
            fail(str(error))
        command(connection=Connection(server, credentials, _token(token_file), wait), **arguments)

    return options(_OPTIONS, named)


def connects(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options for its server; they reach it as the argument `client`.

    An error of the server ends the command with one line on standard error and the error's status.
    """

    @functools.wraps(command)
    def connected(connection: Connection, **arguments: Any) -> None:
        server, credentials, token, wait = connection
        connect = functools.partial(EventStreamClient, server, credentials=credentials, token=token)
        try:
            client = connect(wait_for_ready=wait)
        except ValueError as error:
            fail(str(error))
        try:
            if wait and sys.stderr.isatty():
                _say_if_down(connect())
            with client:
                command(client=client, **arguments)
        except StreamError as error:
            fail(line_of(error), status_of(error))

    return names_server(connected)


def _say_if_down(client: EventStreamClient) -> None:
    with client:
        try:
            client.get_stream("")
        except StreamError as error:
            if error.code is grpc.StatusCode.UNAVAILABLE:
                note(f"waiting for the server: {line_of(error)}")


def _token(file: Path | None) -> str | None:
    """The token. It is never an argument: everyone on the machine can see those."""
    return os.environ.get(TOKEN_VARIABLE) if file is None else file.read_bytes().decode("ascii", "replace").strip()
