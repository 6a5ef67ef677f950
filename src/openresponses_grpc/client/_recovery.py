"""Retry decisions and backoff. Pure except for the jitter and the clock: the caller sleeps."""

from __future__ import annotations

import logging
import random
import time
from typing import Final

from ._errors import LOST_STATUSES, StreamError

_FIRST_DELAY: Final = 0.1
_MAX_DELAY: Final = 5.0

_logger = logging.getLogger(__package__)


class Recovery:
    """The retries of one publisher, one subscription or one unary call, with a common deadline.

    Args:
        timeout: seconds until the deadline; None sets no deadline.
        wait_for_ready: wait for a server that is not up yet. Otherwise the first call fails immediately.
        fail_fast: until the first reply, raise errors from the server instead of retrying.

    Attributes:
        connected: whether calls wait for the server: it has replied before, or `wait_for_ready` is set.

    """

    def __init__(self, timeout: float | None = None, *, wait_for_ready: bool = False, fail_fast: bool = False) -> None:
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self.connected = wait_for_ready
        self._fail_fast = fail_fast
        self._attempts = 0

    @property
    def timeout(self) -> float | None:
        """Seconds left until the deadline; None without a deadline."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def record_reply(self, *, progress: bool) -> None:
        """Records a reply from the server. `progress` resets the backoff."""
        self.connected = True
        self._fail_fast = False
        if progress:
            self._attempts = 0

    def next_delay(self, error: StreamError | None) -> float:
        """Returns the seconds to wait before the next call.

        Exponential backoff with full jitter, but never less than the server's `retry_after`.

        Args:
            error: error of the last call; None if the call ended too early without one.

        Raises:
            StreamError: `error`, if it is not retryable or `fail_fast` applies.

        """
        status_lost = error is not None and error.details in LOST_STATUSES
        if error and error.retry_after is None and not ((self.connected or status_lost) and error.retryable):
            raise error
        if error and self._fail_fast and (error.reason or error.retry_after is not None):
            raise error
        self.connected = self.connected or not status_lost
        level = logging.WARNING if self.connected else logging.DEBUG  # a lost status explains nothing
        self._attempts += 1
        jittered = random.uniform(0, min(_MAX_DELAY, _FIRST_DELAY * 2 ** min(self._attempts, 16)))  # noqa: S311
        delay = max(jittered, (error and error.retry_after) or 0)
        if self.timeout is not None:
            delay = min(delay, self.timeout)  # the next call then fails with DEADLINE_EXCEEDED
        _logger.log(level, "retrying in %.1f s: %s", delay, error or "the server ended the call")
        return delay
