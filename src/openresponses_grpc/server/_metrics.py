"""What a server counts, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from ._calls import Call

STORE_SECONDS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The metrics of one server. Events are counted for each message, which may hold thousands, not one by one.

    Args:
        open_calls: gives the calls that are open; it is called from another thread.

    Attributes:
        registry: what `prometheus_client` exposes.

    """

    def __init__(self, open_calls: Callable[[], Collection[Call]]) -> None:
        self.registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"openresponses_{name}", text, labels, registry=self.registry)

        def gauge(name: str, text: str, value: Callable[[Collection[Call]], int]) -> None:
            gauge = Gauge(f"openresponses_{name}", text, registry=self.registry)
            gauge.set_function(lambda: value(open_calls()))

        self._events = {
            "Publish": counter("events_received", "Events from publishers, with those that the log had already."),
            "Subscribe": counter("events_sent", "Events to subscribers."),
        }
        self._bytes = {
            "Publish": counter("received_bytes", "Bytes of the messages from publishers."),
            "Subscribe": counter("sent_bytes", "Bytes of the messages to subscribers."),
        }
        self._calls = counter(
            "calls", "Calls that have ended, by method, status code, and reason.", "method", "code", "reason"
        )
        self._finished = counter(
            "finished_streams", "Requests that have ended a stream, by outcome: complete or failed.", "outcome"
        )
        store_seconds = Histogram(
            "openresponses_store_seconds",
            "Seconds that the store takes to append events, or to read events that are there.",
            ["operation"],
            buckets=STORE_SECONDS,
            registry=self.registry,
        )
        self.appended = store_seconds.labels("append").observe
        self.read = store_seconds.labels("read").observe
        self.store_writable = Gauge(
            "openresponses_store_writable", "1 while the store can be written, else 0.", registry=self.registry
        )
        self.certificate_expires = Gauge(
            "openresponses_certificate_expires_seconds",
            "When the first certificate of a file expires, in seconds since 1970.",
            ["file"],
            registry=self.registry,
        )
        gauge("open_publishers", "Publishers that are connected.", lambda calls: _count(calls, "Publish"))
        gauge("open_subscribers", "Subscribers that are connected.", lambda calls: _count(calls, "Subscribe"))
        gauge(
            "slowest_subscriber_lag_events",
            "Events that the connected subscriber who is farthest behind has still to be sent.",
            slowest_lag,
        )

    def moved(self, call: Call, events: int, size: int) -> None:
        """Counts a message whose events were stored for a publisher, or that was written to a subscriber."""
        call.events += events
        call.bytes += size
        self._events[call.method].inc(events)
        self._bytes[call.method].inc(size)

    def finished(self, *, failed: bool) -> None:
        """Counts a request that has ended its stream; a retry counts again."""
        self._finished.labels("failed" if failed else "complete").inc()

    def ended(self, call: Call, code: str, reason: str) -> None:
        """Counts a call that has ended with a status code and the reason of its error."""
        self._calls.labels(call.method, code, reason).inc()


@contextmanager
def exposed_metrics(registry: CollectorRegistry, listen: str) -> Iterator[str]:
    """Exposes metrics over HTTP for as long as the context lasts.

    Args:
        registry: the metrics.
        listen: `host:port`; port 0 takes a free one.

    Yields:
        The URL.

    Raises:
        OSError: the address cannot be listened at.
        ValueError: it is no `host:port`.

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
    """Events that the subscriber who is farthest behind has still to be sent, as far as calls know their streams."""
    ends: dict[str, int] = {}
    for call in calls:
        ends[call.stream_id] = max(call.end, ends.get(call.stream_id, 0))
    return max((ends[call.stream_id] - call.offset for call in calls if call.method == "Subscribe"), default=0)


def _count(calls: Collection[Call], method: str) -> int:
    return sum(call.method == method for call in calls)
