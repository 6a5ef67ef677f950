"""Whether the store can be written, as health and metrics tell it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from ..store import Store

_logger = logging.getLogger(__package__)

CHECK_TIMEOUT: Final = 5.0
"""How long a check may take, in seconds; a store that takes longer has stalled."""


class Monitor:
    """Checks a store, and tells each change: to the health service and to the operator.

    Args:
        store: the store.
        tell: is told whether the store can be written, after each check that finds it changed.
        timeout: how long a check may take, in seconds.

    """

    def __init__(self, store: Store, tell: Callable[[bool], None], *, timeout: float = CHECK_TIMEOUT) -> None:
        self._store = store
        self._tell = tell
        self._timeout = timeout
        self._writable: bool | None = None

    async def check(self) -> None:
        """Checks the store once."""
        problem = await self._problem()
        writable = problem is None
        if writable is self._writable:
            return
        if problem:
            _logger.error("the store cannot be written, health is NOT_SERVING: %s", problem)
        elif self._writable is not None:
            _logger.warning("the store can be written again, health is SERVING")
        self._writable = writable
        self._tell(writable)

    async def _problem(self) -> str | None:
        try:
            async with asyncio.timeout(self._timeout):
                await self._store.check()
        except TimeoutError:
            return f"it has not answered for {self._timeout:g} seconds"
        except Exception as error:  # whatever it is, nobody could publish now
            return str(error) or repr(error)
        return None
