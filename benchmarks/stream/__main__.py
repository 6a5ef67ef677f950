"""Prints the tables of the stream service. Run it with `make bench`.

The contenders of a table take turns in each round, on one machine over the loopback interface; the figures are medians.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from ..chart import bars
from ..measure import print_table
from ..redis_nodes import running_nodes
from . import chain
from .contender import Contender
from .ours import Ours
from .single import Echo, Single
from .sse import SSE
from .unchecked import Unchecked

CONTENDERS: Mapping[str, Contender] = {
    "this library": Ours(),
    "this library without checksums and fencing": Unchecked(),
    "SSE: Starlette, uvicorn, httpx-sse, json": SSE(),
    "gRPC with one event a message": Single(),
}


CHART = Path(__file__).parents[2] / "docs" / "throughput.svg"


def throughput(count: int, subscribers: int, rounds: int) -> dict[str, float]:
    """Prints the table. Returns the delivered events per second, by contender."""
    times: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _ in range(rounds):
        for name, contender in CONTENDERS.items():
            times[name].append(chain.live(contender, count, subscribers))
    ours = times["this library"]
    rates = {name: count * subscribers / statistics.median(taken) for name, taken in times.items()}
    print_table(
        f"{count:,} events to a server and from it to {subscribers} subscriber(s), medians of {rounds} rounds.",
        ("contender", "delivered events a second", "this library is faster by"),
        [
            (
                name,
                f"{rates[name]:,.0f}",
                f"{statistics.median(other / own for other, own in zip(taken, ours, strict=True)):.2f}",
            )
            for name, taken in times.items()
        ],
    )
    return rates


def latency(count: int, rate: int, rounds: int) -> None:
    contenders: Mapping[str, Contender] = {"a grpc.aio stream that echoes": Echo(), "this library": Ours()}
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            cuts = statistics.quantiles(chain.delays(contender, count, rate), n=100)
            figures[name].append((cuts[49] * 1e3, cuts[98] * 1e3))
    rows = []
    for name, taken in figures.items():
        p50, p99 = (statistics.median(column) for column in zip(*taken, strict=True))
        echo = zip(taken, figures["a grpc.aio stream that echoes"], strict=True)
        rows.append((name, f"{p50:.2f}", f"{p99:.2f}", f"{statistics.median(a[1] / b[1] for a, b in echo):.1f}"))
    print_table(
        f"From publish to delivery at {rate:,} events a second, {count:,} events, medians of {rounds} rounds.",
        ("contender", "p50 in ms", "p99 in ms", "p99 against the echo"),
        rows,
    )


def stores(count: int) -> None:
    rows = []
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        urls = ["memory:", f"sqlite:{Path(directory) / 'streams.db'}"]
        if shutil.which("redis-server"):
            urls += [f"redis://127.0.0.1:{port}" for port in stack.enter_context(running_nodes(1))]
        for url in urls:
            published, replayed = chain.stored(Ours(url), count)
            rows.append((url.partition(":")[0], f"{count / published:,.0f}", f"{count / replayed:,.0f}"))
    print_table(
        f"{count:,} events into each store and out again, with one publisher and one subscriber.",
        ("store", "published events a second", "replayed events a second"),
        rows,
    )


if __name__ == "__main__":
    rates = throughput(100_000, 1, rounds=3)
    del rates["this library without checksums and fencing"]
    bars(CHART, "Events delivered a second, from one publisher through a server to one subscriber", rates)
    throughput(1_000, 100, rounds=3)
    latency(5_000, 1_000, rounds=5)
    stores(1_000_000)
