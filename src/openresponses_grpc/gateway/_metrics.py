"""Prometheus metrics of a gateway."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge


class GatewayMetrics:
    """The metrics of one gateway.

    Args:
        open_streams: returns the number of open responses. Called from another thread.

    Attributes:
        registry: registry for `prometheus_client`.
        events: events sent.
        bytes: bytes of server-sent events sent.
        requests: completed requests, by kind (`stream` or `response`), HTTP status and reason.

    """

    def __init__(self, open_streams: Callable[[], int]) -> None:
        self.registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"openresponses_gateway_{name}", text, labels, registry=self.registry)

        self.events = counter("events_sent", "Events sent to readers.")
        self.bytes = counter("sent_bytes", "Bytes of server-sent events sent to readers.")
        self.requests = counter(
            "requests",
            "Completed requests, by kind, HTTP status and error reason. A response that fails after its start has"
            " status 200 and a reason: STREAM_FAILED if the publisher ended the stream as failed.",
            "kind",
            "status",
            "reason",
        )
        gauge = Gauge("openresponses_gateway_open_streams", "Responses in progress.", registry=self.registry)
        gauge.set_function(open_streams)
