"""The server's metrics, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from ._calls import Call, CallObserver

STORE_SECONDS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics(CallObserver):
    """The metrics of one server. They are updated once per message, which may hold thousands of events.

    Args:
        open_calls: returns the open calls; it is called from another thread.

    Attributes:
        registry: the registry that `prometheus_client` exposes.

    """

    def __init__(self, open_calls: Callable[[], Collection[Call]]) -> None:
        self.registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"openresponses_{name}", text, labels, registry=self.registry)

        def gauge(name: str, text: str, value: Callable[[Collection[Call]], int]) -> None:
            gauge = Gauge(f"openresponses_{name}", text, registry=self.registry)
            gauge.set_function(lambda: value(open_calls()))

        self._events = {
            "Publish": counter("events_received", "Events received from publishers, retries included."),
            "Subscribe": counter("events_sent", "Events sent to subscribers."),
        }
        self._bytes = {
            "Publish": counter("received_bytes", "Bytes of messages received from publishers."),
            "Subscribe": counter("sent_bytes", "Bytes of messages sent to subscribers."),
        }
        self._calls = counter("calls", "Ended calls by method, status code and reason.", "method", "code", "reason")
        self._finished = counter(
            "finished_streams", "Requests that ended a stream, by outcome: complete or failed.", "outcome"
        )
        store_seconds = Histogram(
            "openresponses_store_seconds",
            "Seconds the store takes to append events, or to read available events.",
            ["operation"],
            buckets=STORE_SECONDS,
            registry=self.registry,
        )
        self.appended = store_seconds.labels("append").observe
        self.read = store_seconds.labels("read").observe
        self.store_writable = Gauge(
            "openresponses_store_writable", "1 if the store is writable, else 0.", registry=self.registry
        )
        self.certificate_expires = Gauge(
            "openresponses_certificate_expires_seconds",
            "Unix time at which the first certificate of a file expires.",
            ["file"],
            registry=self.registry,
        )
        gauge("open_publishers", "Connected publishers.", lambda calls: _count(calls, "Publish"))
        gauge("open_subscribers", "Connected subscribers.", lambda calls: _count(calls, "Subscribe"))
        gauge(
            "slowest_subscriber_lag_events",
            "Events not yet sent to the connected subscriber that is farthest behind.",
            slowest_lag,
        )

    def transferred(self, call: Call, events: int, size: int) -> None:
        self._events[call.method].inc(events)
        self._bytes[call.method].inc(size)

    def ended(self, call: Call) -> None:
        self._calls.labels(call.method, call.code.name, call.reason).inc()

    def finished(self, *, failed: bool) -> None:
        """Counts a request that ended its stream; a retry counts again."""
        self._finished.labels("failed" if failed else "complete").inc()


@contextmanager
def exposed_metrics(registry: CollectorRegistry, listen: str) -> Iterator[str]:
    """Exposes metrics over HTTP while the context is open.

    Args:
        registry: the metrics.
        listen: `host:port`; port 0 picks a free port.

    Yields:
        The URL.

    Raises:
        OSError: cannot listen on the address.
        ValueError: the address is not a valid `host:port`.

    """
    host, _, port = listen.rpartition(":")
    server, thread = start_http_server(int(port), host.strip("[]"), registry)
    try:
        yield f"http://{host}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def slowest_lag(calls: Collection[Call]) -> int:
    """Returns the lag of the subscriber that is farthest behind, in events, by the stream ends that the calls know."""
    ends: dict[str, int] = {}
    for call in calls:
        ends[call.stream_id] = max(call.end, ends.get(call.stream_id, 0))
    return max((ends[call.stream_id] - call.offset for call in calls if call.method == "Subscribe"), default=0)


def _count(calls: Collection[Call], method: str) -> int:
    return sum(call.method == method for call in calls)
