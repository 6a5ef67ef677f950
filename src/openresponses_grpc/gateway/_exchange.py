"""Metrics and log lines of one request and its response."""

from __future__ import annotations

import logging
import secrets
import time

from starlette.requests import Request

from ..client import StreamFailedError
from ..server._logs import log_ended
from ._errors import Problem, to_problem
from ._metrics import GatewayMetrics

_logger = logging.getLogger(__package__)


class Exchange:
    """A request in progress.

    Args:
        request: the request.
        metrics: metrics to update.

    Attributes:
        kind: what the client requested: `stream` or `response`.
        status: HTTP status; 499 if the client disconnected before the response.

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
        """Counts sent events and bytes."""
        self._events += events
        self._bytes += size
        self._metrics.events.inc(events)
        self._metrics.bytes.inc(size)

    def failed(self, error: BaseException) -> Problem:
        """Returns the problem to report for an error. Logs the details of server errors."""
        problem = to_problem(error)
        if problem is None:
            error_id = secrets.token_hex(8)
            _logger.error("internal error %s", error_id, exc_info=error)
            problem = Problem(500, "INTERNAL", f"internal error {error_id}")
        elif problem.status >= 500:
            _logger.warning("%s", error)
        # A publisher can choose any reason, so it must not become a metric label.
        self._reason = "STREAM_FAILED" if isinstance(error, StreamFailedError) else problem.code
        return problem

    def ended(self) -> None:
        """Counts and logs the end of the response."""
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
