"""`openresponses serve`."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import click
import grpc

from .. import wire
from ..auth import InvalidTokensError, Tokens
from ..logs import LOG_FORMATS, LogFormat, set_up_logs
from ..metrics import exposed_metrics
from ..server import ListenError, running_server, stop_signal
from ..service import StreamService
from ..store import OpenStoreError, StoreLimits, open_store
from .common import fail
from .listen import listens
from .option import option
from .stores import stores
from .units import size, size_text


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
    "--max-message-bytes",
    metavar="SIZE",
    type=size,
    default=size_text(wire.MAX_MESSAGE_BYTES),
    show_default=True,
    help="The largest request, and so the largest event. A larger one is refused with RESOURCE_EXHAUSTED.",
)
@option("--reflection", is_flag=True, help="Serve gRPC reflection, for tools such as grpcurl.")
@option("--metrics", metavar="HOST:PORT", help="Expose Prometheus metrics over HTTP.")
@option(
    "--log-format",
    type=click.Choice(LOG_FORMATS),
    default="text",
    show_default=True,
    help="How the lines on standard error are written.",
)
@option(
    "--log-level",
    type=click.Choice(("debug", "info", "warning", "error")),
    default="info",
    show_default=True,
    help="From which level on; info has a line for each call that has ended.",
)
def serve(
    listen: str,
    credentials: grpc.ServerCredentials | None,
    tokens: Tokens | None,
    store: str,
    limits: StoreLimits,
    max_calls: int,
    max_message_bytes: int,
    reflection: bool,
    metrics: str | None,
    log_format: LogFormat,
    log_level: str,
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
    set_up_logs(log_format, log_level)

    async def run() -> None:
        async with AsyncExitStack() as stack:
            opened = await stack.enter_async_context(open_store(store, limits))
            service = StreamService(opened, tokens=tokens, max_calls=max_calls)
            if metrics:
                try:
                    url = stack.enter_context(exposed_metrics(service.metrics, metrics))
                except (OSError, OverflowError, ValueError) as error:
                    raise click.BadParameter(f"cannot listen at {metrics}: {error}", param_hint="--metrics") from None
                click.echo(f"metrics at {url}")
            address = await stack.enter_async_context(
                running_server(
                    service, listen, credentials=credentials, max_message_bytes=max_message_bytes, reflect=reflection
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
