"""When a client retries. Pure but for the jitter and the clock: the caller does the waiting."""

from __future__ import annotations

import logging
import random
import time
from typing import Final

from ._errors import StreamError

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0

_logger = logging.getLogger(__package__)


class Recovery:
    """The retries of one publisher, subscriber or other call, and the time left for all of them.

    Args:
        timeout: seconds from now until the deadline; None for no deadline.
        wait_for_ready: wait for a server that is not up yet. Without it the first call fails at once.
        fail_first: before the first reply, raise every error that the server answers with.

    Attributes:
        connected: whether calls wait for the server to be up: it has replied before, or the caller asked for it.

    """

    def __init__(self, timeout: float | None = None, *, wait_for_ready: bool = False, fail_first: bool = False) -> None:
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self.connected = wait_for_ready
        self._fail_first = fail_first
        self._attempts = 0

    @property
    def timeout(self) -> float | None:
        """Seconds left for a call; None for no limit."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def answered(self, *, progress: bool) -> None:
        """Notes a reply, and whether it made progress."""
        self.connected = True
        self._fail_first = False
        if progress:
            self._attempts = 0

    def pause(self, error: StreamError | None) -> float:
        """Seconds to wait before the next call, after a call that ended with `error` or too early.

        Doubles from call to call, with jitter over the whole range to spread the clients, and is never less than the
        server asked for.

        Raises:
            StreamError: `error`, where a retry cannot heal it, or `fail_first` asks for it.

        """
        if error and error.retry_after is None and not (self.connected and error.retryable):
            raise error
        if error and self._fail_first and (error.reason or error.retry_after is not None):
            raise error
        self.connected = True
        self._attempts += 1
        jittered = random.uniform(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(self._attempts, 16)))  # noqa: S311
        pause = max(jittered, (error and error.retry_after) or 0)
        if self.timeout is not None:
            pause = min(pause, self.timeout)  # the call after it fails with DEADLINE_EXCEEDED
        _logger.warning("retrying in %.1f s after: %s", pause, error or "the server ended the call")
        return pause
