"""Periodic tasks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

UPKEEP_SECONDS: Final = 1.0
"""How often a server checks its store, its tokens and its files."""

_logger = logging.getLogger(__package__)


@asynccontextmanager
async def every(action: Callable[[], Awaitable[None]], *, seconds: float = UPKEEP_SECONDS) -> AsyncIterator[None]:
    """Runs an action now, and then every `seconds` while the context is open."""
    stopped = False

    async def run() -> None:
        # The flag ends the task even if a library swallows the cancellation.
        while not stopped:
            await asyncio.sleep(seconds)
            try:
                await action()
            except Exception:
                _logger.exception("internal error")

    await action()
    task = asyncio.create_task(run())
    try:
        yield
    finally:
        stopped = True
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
