"""What `serve` does beside its calls: it reads files again, and looks when certificates expire."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from ..expiry import ExpiryWatch
from ..periodic import every
from ..reload import Reload, read_tokens
from ..service import StreamService
from ..tls import ServerTLS

_logger = logging.getLogger(__name__)


@asynccontextmanager
async def kept_up(service: StreamService, tls: ServerTLS | None, tokens_file: Path | None) -> AsyncIterator[None]:
    """Reads a server's files again when they change and on SIGHUP, for as long as the context lasts."""
    reloads = []
    if tokens_file:
        reloads.append(Reload([tokens_file], partial(read_tokens, tokens_file), service.access.replace))
    if tls:
        reloads.append(Reload(tls.files, tls.read, tls.use))

    def ask() -> None:
        if not reloads:
            _logger.info("SIGHUP: there are no files of tokens or TLS to read again")
        for reload in reloads:
            reload.ask()

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, ask)
    async with AsyncExitStack() as stack:
        for reload in reloads:
            await stack.enter_async_context(every(reload.check))
        if tls:
            tell = service.metrics.certificate_expires
            watch = ExpiryWatch(lambda: tls.expires, lambda file, expires: tell.labels(file).set(expires))
            await stack.enter_async_context(every(watch.check))
        yield
