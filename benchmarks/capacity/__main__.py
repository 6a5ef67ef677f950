"""What events, streams and readers cost, and what many of them need: `python -m benchmarks.capacity`.

It measures the unit costs over one Redis, checks the model against three servers over a Redis Cluster of three nodes,
and works it out for more streams than one machine can carry. It takes about five minutes and needs redis-server.
"""

from __future__ import annotations

from ..measure import print_table
from ..stream.ours import Ours
from .costs import RATE, Costs, measured
from .load import Load, measure
from .model import BUSY, CALLS, LINK, NODE_MEMORY, Streams, plan
from .redis_nodes import running_nodes

SECONDS = 4.0
FEW, MANY = 5, 15
"""Streams of one server: those of each of three servers in the check, and those that make one busy."""
SIZES = (10_000, 100_000, 1_000_000)


def print_costs(title: str, costs: Costs) -> None:
    micro = 1e6
    print_table(
        title,
        ("cost", "server CPU", "Redis CPU", "bytes"),
        [
            (
                "a message from a publisher, with its acknowledgement",
                f"{costs.publish * micro:.0f} µs",
                f"{costs.append * micro:.0f} µs",
                f"{costs.client_received:.0f} with the client, {costs.append_bytes:.0f} with Redis",
            ),
            ("each event in it", f"{costs.published_event * micro:.1f} µs", "", ""),
            (
                "a message to the first reader at a server",
                f"{costs.deliver * micro:.0f} µs",
                f"{costs.look * micro:.0f} µs",
                f"{costs.client_sent:.0f} with the client, {costs.look_bytes:.0f} with Redis",
            ),
            ("a message to each further reader there", f"{costs.reader * micro:.0f} µs", "", ""),
            ("each event in it", f"{costs.delivered_event * micro:.1f} µs", "", ""),
            ("an event that Redis keeps", "", "", f"{costs.redis_memory:.0f} of memory"),
            (
                "an open stream with a publisher and a reader",
                f"{costs.stream * micro:.0f} µs a second",
                "",
                f"{costs.server_memory / 1024:.0f} KiB of the server's memory",
            ),
            (
                "plain SSE: an event, published and delivered",
                f"{costs.sse_message * micro:.0f} µs",
                "",
                f"{costs.sse_bytes:.0f} to the client",
            ),
            ("plain SSE: each further reader", f"{costs.sse_reader * micro:.0f} µs", "", ""),
        ],
    )


def check(costs: Costs, load: Load) -> None:
    """Holds the model against three servers over three nodes."""
    with running_nodes(3) as ports:
        ours = Ours(f"redis+cluster://127.0.0.1:{ports[0]}")
        usage = measure(ours, load, seconds=SECONDS, redis=ports, servers=3)
    rate = usage.published / usage.seconds / load.streams
    expected = plan(costs, Streams(load.streams, rate, load.together, load.readers, places=load.readers))
    redis_bytes = usage.redis.received + usage.redis.sent
    rows = [
        ("cores of the servers", usage.cpu / usage.seconds, expected.server_cores),
        ("cores of Redis", usage.redis.cpu / usage.seconds, expected.redis_cores),
        ("kB a second to and from Redis", redis_bytes / usage.seconds / 1e3, expected.redis_bytes / 1e3),
    ]
    print_table(
        f"The model against three servers over a Redis Cluster of three nodes: {load.streams} streams with"
        f" {load.readers} reader(s) at as many servers, {rate:.0f} events a second each, one in a message.",
        ("", "measured", "expected", "measured / expected"),
        [(name, f"{found:.3g}", f"{wanted:.3g}", f"{found / wanted:.2f}") for name, found, wanted in rows],
    )


def print_plans(costs: Costs, together: int) -> None:
    plans = {count: plan(costs, Streams(count, RATE, together)) for count in SIZES}
    rows = [
        ("events a second", *(f"{count * RATE:,.0f}" for count in SIZES)),
        ("cores of servers, busy", *(f"{each.server_cores:,.0f}" for each in plans.values())),
        ("cores of Redis, busy", *(f"{each.redis_cores:,.0f}" for each in plans.values())),
        ("cores of plain SSE, busy", *(f"{each.sse_cores:,.0f}" for each in plans.values())),
        ("GB in Redis", *(f"{each.redis_memory / 1e9:,.0f}" for each in plans.values())),
        ("Gbit a second to and from clients", *(f"{each.client_bytes * 8 / 1e9:,.1f}" for each in plans.values())),
        ("the same of plain SSE", *(f"{each.sse_bytes * 8 / 1e9:,.1f}" for each in plans.values())),
        ("Gbit a second to and from Redis", *(f"{each.redis_bytes * 8 / 1e9:,.1f}" for each in plans.values())),
    ]
    for title, needs in (("servers", "servers"), ("Redis nodes", "nodes")):
        for limit in getattr(plans[SIZES[0]], needs):
            counts = (getattr(each, needs)[limit] for each in plans.values())
            rows.append((f"{title} for {limit}", *(f"{count:,.1f}" for count in counts)))
    print_table(
        f"Extrapolated: {RATE:.0f} text deltas a second in each stream, {together} in a message, one reader each."
        f" Streams last {Streams.seconds:.0f} seconds and are kept for {Streams.kept:.0f}. A core is {BUSY:.0%} busy."
        f" A server has {CALLS:,} calls, a node {NODE_MEMORY >> 30} GiB, an interface {LINK * 8 / 1e9:.0f} Gbit/s.",
        ("streams at once", *(f"{count:,}" for count in SIZES)),
        rows,
    )


def tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    print(f"{FEW} streams:")
    costs = measured(FEW, SECONDS, tell)
    print_costs(f"What one costs a server that carries {FEW} streams.", costs)
    check(costs, Load(3 * FEW, 1, RATE))
    check(costs, Load(FEW, 3, RATE))
    print(f"\n{MANY} streams:")
    costs = measured(MANY, SECONDS, tell)
    print_costs(f"What one costs a server that carries {MANY} streams.", costs)
    for together in (1, 5):
        print_plans(costs, together)
