"""`openresponses serve`."""

from __future__ import annotations

import asyncio
import gc
from contextlib import AsyncExitStack
from typing import Final

import click

from ..codec import _raw_messages as raw_messages
from ..server._auth import InvalidTokensError, Tokens
from ..server._logs import LogFormat, set_up_logs
from ..server._reload import Reloaded
from ..server._server import MAX_CONNECTIONS, ListenError, connections, raise_file_limit, running_server
from ..server._service import StreamService
from ..server._tls import ServerFiles
from ..store import OpenStoreError, StoreLimits, open_store
from ._common import fail
from ._listen import (
    announce_until_stopped,
    announced_metrics,
    check_metrics_address,
    with_listen_options,
    with_log_options,
)
from ._options import option, size, size_text
from ._stores import with_store_options
from ._upkeep import kept_up

_FULL_COLLECTION: Final = 100
"""The number of partial garbage collections before a full one; Python's default is 10.

A full one pauses all calls, for 0.2 seconds with 10,000 open calls. Ended calls leave no reference cycle to collect.
"""


@click.command(short_help="Run a stream server.")
@with_listen_options
@with_store_options
@option(
    "--max-calls",
    metavar="N",
    type=click.IntRange(min=1),
    default=StreamService.MAX_CALLS,
    show_default=True,
    help="Maximum concurrent calls. The server rejects others with RESOURCE_EXHAUSTED. With --tokens, each token has a"
    " share.",
)
@option(
    "--max-connections",
    metavar="N",
    type=click.IntRange(min=1),
    help=f"Maximum concurrent connections. The server closes others immediately.  [default: {MAX_CONNECTIONS}, or"
    " fewer if the open file limit is too low]",
)
@option(
    "--max-message-bytes",
    metavar="SIZE",
    type=size,
    default=size_text(raw_messages.MAX_REQUEST_BYTES),
    show_default=True,
    help="Size limit of a request, and so of an event. The server rejects larger ones with RESOURCE_EXHAUSTED.",
)
@option("--reflection", is_flag=True, help="Serve gRPC reflection, for tools such as grpcurl.")
@option(
    "--metrics",
    metavar="HOST:PORT",
    help="Serve Prometheus metrics over HTTP on this address, without TLS and tokens.",
)
@with_log_options()
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
    """Run a server that stores the events of publishers and streams them to subscribers.

    When it is ready, the server prints its address. It also serves the gRPC health service. On SIGTERM or Ctrl-C it
    shuts down: open calls end with UNAVAILABLE. On SIGHUP it reloads the --tokens file and the TLS files.

    The memory: store keeps streams in memory. They are lost when the server exits.

    The sqlite:PATH store keeps streams in a file, which only one server can open. Acknowledged events survive a crash
    of the server and, with sqlite:PATH?synchronous=full, a power loss.

    The redis://HOST:PORT store keeps streams in Redis 7 or newer, which several servers can share. Other Redis URLs
    are rediss:// (TLS), unix:///PATH, and redis+cluster:// or rediss+cluster:// with any node of a Redis Cluster. All
    require the dependencies of the redis extra.
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
                stack.enter_context(announced_metrics(service.metrics.registry, metrics))
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
            await announce_until_stopped(address)

    gc.set_threshold(*gc.get_threshold()[:2], _FULL_COLLECTION)
    try:
        asyncio.run(run())
    except OpenStoreError as error:
        raise click.BadParameter(str(error), param_hint="--store") from None
    except InvalidTokensError as error:
        raise click.BadParameter(str(error), param_hint="--tokens") from None
    except ListenError as error:
        fail(str(error))
