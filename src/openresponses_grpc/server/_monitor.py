"""Monitors whether the store is writable, for health and metrics."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from ..store import Store

_logger = logging.getLogger(__package__)

CHECK_TIMEOUT: Final = 5.0
"""The timeout of a check in seconds; a store that takes longer has stalled."""


class Monitor:
    """Checks a store, and reports and logs each change.

    Args:
        store: the store.
        report: called with whether the store is writable, when that has changed.
        timeout: the timeout of a check in seconds.

    """

    def __init__(self, store: Store, report: Callable[[bool], None], *, timeout: float = CHECK_TIMEOUT) -> None:
        self._store = store
        self._report = report
        self._timeout = timeout
        self._writable: bool | None = None

    async def check(self) -> None:
        """Checks the store once."""
        problem = await self._problem()
        writable = problem is None
        if writable is self._writable:
            return
        if problem:
            _logger.error("the store is not writable, health is NOT_SERVING: %s", problem)
        elif self._writable is not None:
            _logger.warning("the store is writable again, health is SERVING")
        self._writable = writable
        self._report(writable)

    async def _problem(self) -> str | None:
        try:
            async with asyncio.timeout(self._timeout):
                await self._store.check()
        except TimeoutError:
            return f"no reply within {self._timeout:g} seconds"
        except Exception as error:  # publishing would fail, too
            return str(error) or repr(error)
        return None
