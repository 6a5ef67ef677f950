"""What a gateway counts, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge


class GatewayMetrics:
    """The metrics of one gateway.

    Args:
        open_streams: gives the number of streams that are being sent; it is called from another thread.

    Attributes:
        registry: what `prometheus_client` exposes.
        events: the events sent.
        bytes: the bytes of their lines.
        requests: the requests answered, by kind (`stream` or `response`), HTTP status and reason.

    """

    def __init__(self, open_streams: Callable[[], int]) -> None:
        self.registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"openresponses_gateway_{name}", text, labels, registry=self.registry)

        self.events = counter("events_sent", "Events sent to readers.")
        self.bytes = counter("sent_bytes", "Bytes of server-sent events.")
        self.requests = counter(
            "requests",
            "Requests that were answered, by kind, HTTP status, and the reason of the error; a stream that fails after"
            " its start has the status 200 and a reason: STREAM_FAILED where its publisher says so.",
            "kind",
            "status",
            "reason",
        )
        gauge = Gauge("openresponses_gateway_open_streams", "Streams that are being sent.", registry=self.registry)
        gauge.set_function(open_streams)
