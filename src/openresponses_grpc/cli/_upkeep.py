"""Background tasks of `serve`: reloading files and watching the expiry of certificates."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import grpc

from ..server._auth import Tokens
from ..server._expiry import ExpiryWatch
from ..server._periodic import UPKEEP_SECONDS, every
from ..server._reload import Reloaded
from ..server._service import StreamService
from ..server._tls import ServerFiles, ServerTLS

_logger = logging.getLogger(__package__)


@asynccontextmanager
async def kept_up(
    service: StreamService,
    tokens: Reloaded[Tokens] | None,
    files: Reloaded[ServerFiles] | None,
    *,
    seconds: float = UPKEEP_SECONDS,
) -> AsyncIterator[grpc.ServerCredentials | None]:
    """Reloads the files on change and on SIGHUP until the context exits. Yields the server's credentials.

    Args:
        service: the service that uses the tokens.
        tokens: the tokens and their file; None without tokens.
        files: the certificates and their files; None without TLS.
        seconds: how often the files are checked for changes.

    """
    tls = ServerTLS(files.value) if files else None
    if tokens:
        tokens.use = service.admit
    if files and tls:
        files.use = tls.use
    reloaded = [each for each in (tokens, files) if each]

    def ask() -> None:
        if not reloaded:
            _logger.info("SIGHUP: no token or TLS files to reload")
        for each in reloaded:
            each.ask()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, ask)
    async with AsyncExitStack() as stack:
        stack.callback(loop.remove_signal_handler, signal.SIGHUP)
        for each in reloaded:
            await stack.enter_async_context(every(each.check, seconds=seconds))
        if tls:
            tell = service.metrics.certificate_expires
            watch = ExpiryWatch(lambda: tls.expires, lambda file, expires: tell.labels(file).set(expires))
            await stack.enter_async_context(every(watch.check, seconds=seconds))
        yield tls.credentials if tls else None
