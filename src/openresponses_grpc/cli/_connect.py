"""Connection options of the commands, the client that they configure, and its errors."""

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
from ._failures import error_line, exit_status
from ._options import PREFIX, option
from ._tally import note

TOKEN_VARIABLE: Final = f"{PREFIX}TOKEN"

_OPTIONS = [
    option("--server", metavar="ADDR", default=DEFAULT_SERVER, show_default=True, help="Server address, as HOST:PORT."),
    option("--wait", is_flag=True, help="Wait for a server that is not up yet, instead of failing."),
    option("--tls", is_flag=True, help="Connect with TLS. Implied by the other --tls options."),
    option(
        "--tls-ca",
        metavar="FILE",
        type=file_path,
        help="Root certificates to trust (PEM).  [default: those bundled with gRPC]",
    ),
    option("--tls-cert", metavar="FILE", type=file_path, help="Client certificate (PEM)."),
    option("--tls-key", metavar="FILE", type=file_path, help="Private key of the client certificate (PEM)."),
    option(
        "--token-file",
        metavar="FILE",
        type=file_path,
        help=f"File with the bearer token to send.  [default: the token in ${TOKEN_VARIABLE}, if set]",
    ),
]


class Connection(NamedTuple):
    """Connection settings from the options.

    Attributes:
        server: server address.
        credentials: TLS credentials; None connects in plain text.
        token: bearer token; None sends none.
        wait_for_ready: whether to wait for a server that is not up yet.

    """

    server: str
    credentials: grpc.ChannelCredentials | None
    token: str | None
    wait_for_ready: bool


def with_connection(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the connection options to a command, which gets them as the argument `connection`."""

    @functools.wraps(command)
    def wrapper(
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
            raise click.UsageError("--tls-cert and --tls-key must be used together")
        credentials: grpc.ChannelCredentials | None = None
        try:
            if tls or tls_ca or tls_cert:
                credentials = channel_credentials(tls_ca, tls_cert, tls_key)
        except CredentialsError as error:
            fail(str(error))
        command(connection=Connection(server, credentials, _token(token_file), wait), **arguments)

    return options(_OPTIONS, wrapper)


def with_client(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the connection options to a command, which gets a client as the argument `client`.

    If a call fails, the command exits with a one-line message and the status of the error.
    """

    @functools.wraps(command)
    def wrapper(connection: Connection, **arguments: Any) -> None:
        server, credentials, token, wait = connection
        connect = functools.partial(EventStreamClient, server, credentials=credentials, token=token)
        try:
            client = connect(wait_for_ready=wait)
        except ValueError as error:
            fail(str(error))
        try:
            if wait and sys.stderr.isatty():
                _note_if_unavailable(connect())
            with client:
                command(client=client, **arguments)
        except StreamError as error:
            fail(error_line(error), exit_status(error))

    return with_connection(wrapper)


def _note_if_unavailable(client: EventStreamClient) -> None:
    with client:
        try:
            client.get_stream("")
        except StreamError as error:
            if error.code is grpc.StatusCode.UNAVAILABLE:
                note(f"waiting for the server: {error_line(error)}")


def _token(file: Path | None) -> str | None:
    """Returns the token. It cannot be an argument: other users of the machine can read those."""
    return os.environ.get(TOKEN_VARIABLE) if file is None else file.read_bytes().decode("ascii", "replace").strip()
