"""`openresponses serve`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import grpc

from .. import wire
from ..auth import InvalidTokensError, Tokens, parse_tokens
from ..client.channel import DEFAULT_TARGET
from ..server import ListenError, is_local, running_server, stop_signal
from ..service import StreamService
from ..store import OpenStoreError, StoreLimits, open_store
from ..tls import CredentialsError, server_credentials
from .common import fail, file_path


@click.command(short_help="Run a server that carries streams.")
@click.option(
    "--listen", metavar="HOST:PORT", default=DEFAULT_TARGET, show_default=True, help="Port 0 takes a free one."
)
@click.option("--tls-cert", metavar="FILE", type=file_path, help="Serve TLS with this certificate and its chain (PEM).")
@click.option("--tls-key", metavar="FILE", type=file_path, help="The certificate's private key (PEM).")
@click.option(
    "--tls-client-ca",
    metavar="FILE",
    type=file_path,
    help="Serve only clients with a certificate of these roots (PEM).",
)
@click.option(
    "--tokens",
    "tokens_file",
    metavar="FILE",
    type=file_path,
    help="Serve only callers that show one of these bearer tokens (TOML, with their digests and what they may do).",
)
@click.option(
    "--insecure",
    is_flag=True,
    help="Listen where other machines reach it even without TLS and without --tokens or --tls-client-ca.",
)
@click.option(
    "--store",
    metavar="URL",
    default="memory:",
    show_default=True,
    help="Where the streams are kept: memory:, sqlite:PATH or redis://HOST:PORT, see above.",
)
@click.option(
    "--max-bytes",
    metavar="BYTES",
    type=click.IntRange(min=1),
    default=StoreLimits.max_bytes,
    show_default=True,
    help="Room for all streams. When it is full, finished streams go, the oldest first, then abandoned ones; when"
    " there are none, publishers are refused with RESOURCE_EXHAUSTED. Redis has its own maxmemory instead.",
)
@click.option(
    "--max-streams",
    metavar="N",
    type=click.IntRange(min=1),
    default=StoreLimits.max_streams,
    show_default=True,
    help="Streams at one time; beyond it as with --max-bytes. Not with Redis.",
)
@click.option(
    "--max-stream-bytes",
    metavar="BYTES",
    type=click.IntRange(min=1),
    default=StoreLimits.max_stream_bytes,
    show_default=True,
    help="Bytes of the events of one stream; a publisher that goes beyond is refused with RESOURCE_EXHAUSTED.",
)
@click.option(
    "--max-calls",
    metavar="N",
    type=click.IntRange(min=1),
    default=StreamService.MAX_CALLS,
    show_default=True,
    help="Publishers and subscribers at one time; another is refused with RESOURCE_EXHAUSTED.",
)
@click.option(
    "--max-message-bytes",
    metavar="BYTES",
    type=click.IntRange(min=1),
    default=wire.MAX_MESSAGE_BYTES,
    show_default=True,
    help="Bytes of one request, and so of one event; a larger one is refused with RESOURCE_EXHAUSTED.",
)
@click.option(
    "--keep-finished",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=StoreLimits.keep_finished,
    show_default=True,
    help="How long a finished stream, or one that is abandoned, can be replayed.",
)
@click.option(
    "--abandon-after",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=StoreLimits.abandon_after,
    show_default=True,
    help="How long an unfinished stream may be without a publisher before its readers are told that it is abandoned.",
)
def serve(
    listen: str,
    tls_cert: Path | None,
    tls_key: Path | None,
    tls_client_ca: Path | None,
    tokens_file: Path | None,
    insecure: bool,
    store: str,
    max_bytes: int,
    max_streams: int,
    max_stream_bytes: int,
    max_calls: int,
    max_message_bytes: int,
    keep_finished: float,
    abandon_after: float,
) -> None:
    """Run a server that carries streams from publishers to subscribers.

    It prints its address when it is ready, serves the gRPC health service beside the streams, and stops on SIGTERM or
    Ctrl-C: calls end with UNAVAILABLE.

    The store memory: keeps the streams in memory; they end with the server.

    sqlite:PATH keeps them in a file, which one server opens: what was acknowledged survives the server, however it
    ends, and with sqlite:PATH?synchronous=full a loss of power, too.

    redis://HOST:PORT keeps them in Redis 7 or newer, which several servers may share; so do rediss:// (TLS),
    unix:///PATH, and redis+cluster:// and rediss+cluster:// with one node of a Redis Cluster. It needs redis-py: pip
    install 'openresponses-grpc[redis]'.
    """
    limits = StoreLimits(
        max_bytes=max_bytes,
        max_streams=max_streams,
        max_stream_bytes=max_stream_bytes,
        keep_finished=keep_finished,
        abandon_after=abandon_after,
    )

    credentials = _credentials(tls_cert, tls_key, tls_client_ca)
    tokens = _tokens(tokens_file) if tokens_file else None
    if not (insecure or is_local(listen) or (credentials and (tokens or tls_client_ca))):
        fail(
            f"{listen} can be reached from other machines: give --tls-cert and --tls-key, and --tokens or"
            " --tls-client-ca, or say --insecure"
        )

    async def run() -> None:
        async with (
            open_store(store, limits) as opened,
            running_server(
                StreamService(opened, tokens=tokens, max_calls=max_calls),
                listen,
                credentials=credentials,
                max_message_bytes=max_message_bytes,
            ) as address,
        ):
            click.echo(f"listening on {address}")
            await stop_signal()
            click.echo("stopping")

    try:
        asyncio.run(run())
    except OpenStoreError as error:
        raise click.BadParameter(str(error), param_hint="--store") from None
    except ListenError as error:
        fail(str(error))


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
