"""`openresponses serve`."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import click

from ..codec import _raw_messages as raw_messages
from ..server._auth import InvalidTokensError, Tokens
from ..server._files import connections, raise_file_limit
from ..server._logs import LogFormat, set_up_logs
from ..server._metrics import exposed_metrics
from ..server._reload import Reloaded
from ..server._server import MAX_CONNECTIONS, ListenError, running_server, stop_signal
from ..server._service import StreamService
from ..server._tls import ServerFiles
from ..store import OpenStoreError, StoreLimits, open_store
from ._common import fail
from ._listen import check_metrics_address, listens, logs
from ._option import option
from ._stores import stores
from ._units import size, size_text
from ._upkeep import kept_up


@click.command(short_help="Run a server that carries streams.")
@listens
@stores
@option(
    "--max-calls",
    metavar="N",
    type=click.IntRange(min=1),
    default=StreamService.MAX_CALLS,
    show_default=True,
    help="Calls at one time; another is refused with RESOURCE_EXHAUSTED. With --tokens, each token has a share.",
)
@option(
    "--max-connections",
    metavar="N",
    type=click.IntRange(min=1),
    help=f"Connections at one time; another is closed at once.  [default: {MAX_CONNECTIONS}, or what the limit of open"
    " files leaves]",
)
@option(
    "--max-message-bytes",
    metavar="SIZE",
    type=size,
    default=size_text(raw_messages.MAX_MESSAGE_BYTES),
    show_default=True,
    help="The largest request, and so the largest event. A larger one is refused with RESOURCE_EXHAUSTED.",
)
@option("--reflection", is_flag=True, help="Serve gRPC reflection, for tools such as grpcurl.")
@option("--metrics", metavar="HOST:PORT", help="Expose Prometheus metrics over HTTP, without TLS and tokens.")
@logs()
def serve(
    listen: str,
    tls: Reloaded[ServerFiles] | None,
    tokens: Reloaded[Tokens] | None,
    insecure: bool,
    store: str,
    limits: StoreLimits,
    max_calls: int,
    max_connections: int | None,
    max_message_bytes: int,
    reflection: bool,
    metrics: str | None,
    log_format: LogFormat,
    log_level: str,
) -> None:
    """Run a server that carries streams from publishers to subscribers.

    It prints its address when it is ready, serves the gRPC health service beside the streams, and stops on SIGTERM or
    Ctrl-C: calls end with UNAVAILABLE. On SIGHUP it reads the files of --tokens and of TLS again.

    The store memory: keeps the streams in memory; they end with the server.

    sqlite:PATH keeps them in a file, which one server opens: what was acknowledged survives the server, however it
    ends, and with sqlite:PATH?synchronous=full a loss of power, too.

    redis://HOST:PORT keeps them in Redis 7 or newer, which several servers may share; so do rediss:// (TLS),
    unix:///PATH, and redis+cluster:// and rediss+cluster:// with one node of a Redis Cluster. It needs redis-py: pip
    install 'openresponses-grpc[redis]'.
    """
    check_metrics_address(metrics, insecure=insecure)
    set_up_logs(log_format, log_level)
    try:
        max_connections = connections(max_connections, MAX_CONNECTIONS, raise_file_limit())
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--max-connections") from None

    async def run() -> None:
        async with AsyncExitStack() as stack:
            opened = await stack.enter_async_context(open_store(store, limits))
            service = StreamService(opened, tokens=tokens.value if tokens else None, max_calls=max_calls)
            if metrics:
                try:
                    url = stack.enter_context(exposed_metrics(service.metrics.registry, metrics))
                except (OSError, OverflowError, ValueError) as error:
                    raise click.BadParameter(f"cannot listen at {metrics}: {error}", param_hint="--metrics") from None
                click.echo(f"metrics at {url}")
            credentials = await stack.enter_async_context(kept_up(service, tokens, tls))
            address = await stack.enter_async_context(
                running_server(
                    service,
                    listen,
                    credentials=credentials,
                    max_message_bytes=max_message_bytes,
                    max_connections=max_connections,
                    reflect=reflection,
                )
            )
            click.echo(f"listening on {address}")
            await stop_signal()
            click.echo("stopping")

    try:
        asyncio.run(run())
    except OpenStoreError as error:
        raise click.BadParameter(str(error), param_hint="--store") from None
    except InvalidTokensError as error:
        raise click.BadParameter(str(error), param_hint="--tokens") from None
    except ListenError as error:
        fail(str(error))
