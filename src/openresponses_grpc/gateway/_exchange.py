"""One request and its response: what is counted and logged of it."""

from __future__ import annotations

import logging
import secrets
import time

from starlette.requests import Request

from ..client import StreamFailedError
from ..server._logs import log_ended
from ._errors import Problem, problem_of
from ._metrics import GatewayMetrics

_logger = logging.getLogger(__package__)


class Exchange:
    """A request that is being answered.

    Args:
        request: the request.
        metrics: where it is counted.

    Attributes:
        kind: `stream` or `response`, whichever is asked for.
        status: the HTTP status; 499 for a reader that left before it.

    """

    def __init__(self, request: Request, metrics: GatewayMetrics) -> None:
        self._request = request
        self._metrics = metrics
        self._started = time.monotonic()
        self.kind = "response"
        self.status = 499
        self._reason = ""
        self._events = self._bytes = 0

    def sent(self, events: int, size: int) -> None:
        """Counts events and bytes that were sent."""
        self._events += events
        self._bytes += size
        self._metrics.events.inc(events)
        self._metrics.bytes.inc(size)

    def failed(self, error: BaseException) -> Problem:
        """The problem to tell the reader; what is not for the reader goes to the log."""
        problem = problem_of(error)
        if problem is None:
            error_id = secrets.token_hex(8)
            _logger.error("internal error %s", error_id, exc_info=error)
            problem = Problem(500, "INTERNAL", f"internal error {error_id}")
        elif problem.status >= 500:
            _logger.warning("%s", error)
        # The publisher's reason may be any word.
        self._reason = "STREAM_FAILED" if isinstance(error, StreamFailedError) else problem.code
        return problem

    def ended(self) -> None:
        """Counts and logs that the response has ended."""
        self._metrics.requests.labels(self.kind, str(self.status), self._reason).inc()
        client = self._request.client
        log_ended(
            "request",
            {
                "kind": self.kind,
                "stream_id": self._request.path_params.get("stream_id", ""),
                "status": self.status,
                "reason": self._reason,
                "peer": f"{client.host}:{client.port}" if client else "",
                "seconds": round(time.monotonic() - self._started, 6),
                "events": self._events,
                "bytes": self._bytes,
            },
        )
