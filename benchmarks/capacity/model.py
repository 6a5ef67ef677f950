"""Estimates the servers and Redis nodes that a number of streams needs, from the cost of events. Pure: no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from .costs import Messages, Others

BUSY = 0.7
"""Maximum utilization of a core. Beyond it, latency grows."""

CALLS = 10_000
"""Maximum concurrent calls of a server (`--max-calls`)."""

NODE_MEMORY = 64 << 30
"""Memory of a Redis node, in bytes."""

LINK = 10e9 / 8
"""Bandwidth of a network interface, in bytes per second and direction."""


@dataclass(frozen=True)
class Streams:
    """The streams to serve.

    Attributes:
        count: number of concurrent streams.
        rate: events per second in each stream.
        together: events per message.
        readers: number of subscribers of each stream.
        places: number of servers that the subscribers of a stream use.
        seconds: duration of a stream.
        kept: retention of ended streams, in seconds.

    """

    count: int
    rate: float = 50.0
    together: int = 1
    readers: int = 1
    places: int = 1
    seconds: float = 20.0
    kept: float = 300.0


@dataclass(frozen=True)
class Plan:
    """The resources that the streams need in total.

    Attributes:
        server_cores: busy cores of the servers.
        redis_cores: busy cores of Redis.
        sse_cores: busy cores of plain SSE servers.
        redis_memory: memory of Redis, in bytes.
        server_memory: memory of the servers, in bytes.
        client_bytes: traffic with clients, in bytes per second.
        redis_bytes: traffic with Redis, in bytes per second.
        sse_bytes: traffic of plain SSE with clients, in bytes per second.
        servers: number of server processes, by limiting resource.
        nodes: number of Redis primaries, by limiting resource.

    """

    server_cores: float
    redis_cores: float
    sse_cores: float
    redis_memory: float
    server_memory: float
    client_bytes: float
    redis_bytes: float
    sse_bytes: float
    servers: dict[str, float]
    nodes: dict[str, float]


def plan(messages: Messages, others: Others, streams: Streams) -> Plan:
    """Estimates the resources. Bytes are those of one event per message, an upper bound for larger messages."""
    events = streams.count * streams.rate
    sent = events / streams.together
    more = streams.readers - streams.places
    server_cores = (
        sent * (messages.publish + streams.places * messages.deliver)
        + events * (messages.published_event + streams.places * messages.delivered_event + more * others.reader)
        + streams.count * others.stream
    )
    redis_cores = sent * (messages.append + streams.places * messages.look)
    # On average, open streams have half of their final length. Ended streams have all of it.
    redis_memory = events * messages.redis_memory * (streams.seconds / 2 + streams.kept)
    client_bytes = events * (others.client_received + streams.readers * others.client_sent)
    redis_bytes = events * (messages.append_bytes + streams.places * messages.look_bytes)
    calls = streams.count * (1 + streams.readers)
    return Plan(
        server_cores=server_cores,
        redis_cores=redis_cores,
        sse_cores=events * (messages.sse + (streams.readers - 1) * others.sse_reader),
        redis_memory=redis_memory,
        server_memory=streams.count * others.server_memory,
        client_bytes=client_bytes,
        redis_bytes=redis_bytes,
        sse_bytes=events * streams.readers * others.sse_bytes,
        servers={"CPU": server_cores / BUSY, "calls": calls / CALLS, "network": client_bytes / 2 / LINK},
        nodes={"CPU": redis_cores / BUSY, "memory": redis_memory / NODE_MEMORY, "network": redis_bytes / 2 / LINK},
    )
