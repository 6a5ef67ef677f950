"""When a client tries again. Pure but for the jitter: whoever calls does the waiting."""

from __future__ import annotations

import logging
import random
import time
from typing import Final

from .errors import StreamError

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0

_logger = logging.getLogger(__name__)


class Recovery:
    """The breaks of one publisher or subscriber, and the time that it has for all of them.

    Args:
        timeout: seconds from now until the deadline; None for no deadline.

    Attributes:
        connected: whether a server has ever answered. The first call fails at once where there is no server, a later
            one waits for the server to come back.

    """

    def __init__(self, timeout: float | None = None) -> None:
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self.connected = False
        self._attempts = 0

    @property
    def timeout(self) -> float | None:
        """Seconds that are left for a call; None for any."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def answered(self, *, progress: bool) -> None:
        """Notes an answer of the server, and whether it brought anything on."""
        self.connected = True
        if progress:
            self._attempts = 0

    def pause(self, error: StreamError | None) -> float:
        """Seconds to wait before the next call, after a call that ended with `error` or too early.

        Doubles from call to call, with jitter over the whole range so that clients do not come back all at once, and
        is never less than the server asked for.

        Raises:
            StreamError: `error`, when trying again does not heal it.

        """
        if error and not (self.connected and error.heals):
            raise error
        self._attempts += 1
        jittered = random.uniform(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(self._attempts, 16)))  # noqa: S311
        pause = max(jittered, (error and error.retry_after) or 0)
        if self.timeout is not None:
            pause = min(pause, self.timeout)  # the call after it fails with DEADLINE_EXCEEDED
        _logger.warning("trying again in %.1f s after: %s", pause, error or "the server ended the call")
        return pause
