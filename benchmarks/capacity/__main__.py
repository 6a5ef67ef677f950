"""The cost of events, streams and subscribers, and the resources for many: `python -m benchmarks.capacity`.

It measures the unit costs over one Redis, checks the model against three servers over a Redis Cluster of three nodes,
and extrapolates it to more streams than one machine can serve. It takes about five minutes and requires redis-server.
"""

from __future__ import annotations

from ..measure import print_table
from ..redis_nodes import running_nodes
from ..stream.ours import Ours
from .costs import RATE, SECONDS, Messages, Others, measured
from .load import Load, measure
from .model import BUSY, CALLS, LINK, NODE_MEMORY, Streams, plan

FEW, MANY = 5, 15
"""Streams per server: few, as on each of the three servers of the check, and enough to keep one server busy."""
SIZES = (10_000, 100_000, 1_000_000)


def print_costs(few: Messages, many: Messages, others: Others) -> None:
    def micro(seconds: float) -> str:
        return f"{seconds * 1e6:.0f} µs"

    rows = [
        ("a message from a publisher, with its acknowledgement", "publish"),
        ("each event in it", "published_event"),
        ("a message to the first subscriber of a stream at a server", "deliver"),
        ("each event in it", "delivered_event"),
        ("plain SSE: an event, published and delivered to one subscriber", "sse"),
        ("Redis: a message from a publisher", "append"),
        ("Redis: the same message, read by one server", "look"),
    ]
    print_table(
        "CPU time.",
        ("unit", f"{FEW} streams", f"{MANY} streams"),
        [(name, micro(getattr(few, cost)), micro(getattr(many, cost))) for name, cost in rows]
        + [
            ("an event to each further subscriber at that server", micro(others.reader), ""),
            ("plain SSE: an event to each further subscriber", micro(others.sse_reader), ""),
            ("a second of an open, idle stream with a publisher and a subscriber", micro(others.stream), ""),
        ],
    )
    print_table(
        "Bytes.",
        ("unit", "bytes"),
        [
            ("with clients: a message with one event from a publisher", f"{others.client_received:.0f}"),
            ("with clients: a message with one event to a subscriber", f"{others.client_sent:.0f}"),
            ("with clients of plain SSE: an event to a subscriber", f"{others.sse_bytes:.0f}"),
            ("with Redis: a message with one event from a publisher", f"{few.append_bytes:.0f}"),
            ("with Redis: the same message, read by one server", f"{few.look_bytes:.0f}"),
            ("in Redis: an event in a message of its own", f"{few.redis_memory:.0f}"),
            ("in a server: an open stream with a publisher and a subscriber", f"{others.server_memory:,.0f}"),
        ],
    )


def check(messages: Messages, others: Others, load: Load) -> None:
    """Compares the model with a measurement of three servers over three nodes."""
    with running_nodes(3) as ports:
        ours = Ours(f"redis+cluster://127.0.0.1:{ports[0]}")
        usage = measure(ours, load, seconds=SECONDS, redis=ports, servers=3)
    rate = usage.published / usage.seconds / load.streams
    expected = plan(messages, others, Streams(load.streams, rate, load.together, load.readers, places=load.readers))
    redis_bytes = usage.redis.received + usage.redis.sent
    rows = [
        ("cores of the servers", usage.cpu / usage.seconds, expected.server_cores),
        ("cores of Redis", usage.redis.cpu / usage.seconds, expected.redis_cores),
        ("kB a second to and from Redis", redis_bytes / usage.seconds / 1e3, expected.redis_bytes / 1e3),
    ]
    print_table(
        f"The model against three servers over a Redis Cluster of three nodes: {load.streams} streams with"
        f" {load.readers} subscriber(s) at as many servers, {rate:.0f} events a second each, one in a message.",
        ("", "measured", "expected", "measured / expected"),
        [(name, f"{found:.3g}", f"{wanted:.3g}", f"{found / wanted:.2f}") for name, found, wanted in rows],
    )


def print_plans(messages: Messages, others: Others, together: int) -> None:
    plans = {count: plan(messages, others, Streams(count, RATE, together)) for count in SIZES}
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
        f"Extrapolated: {RATE:.0f} text deltas a second in each stream, {together} in a message, one subscriber each."
        f" Streams last {Streams.seconds:.0f} seconds and are kept for {Streams.kept:.0f}. A core is {BUSY:.0%} busy."
        f" A server has {CALLS:,} calls, a node {NODE_MEMORY >> 30} GiB, an interface {LINK * 8 / 1e9:.0f} Gbit/s.",
        ("streams at once", *(f"{count:,}" for count in SIZES)),
        rows,
    )


if __name__ == "__main__":
    few, many, others = measured(FEW, MANY, lambda line: print(line, flush=True))
    print_costs(few, many, others)
    check(few, others, Load(3 * FEW, 1, RATE))
    check(few, others, Load(FEW, 3, RATE))
    for together in (1, 5):
        print_plans(many, others, together)
