"""How many servers and Redis nodes some streams need, by what each event costs. Pure: no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from .costs import Messages, Others

BUSY = 0.7
"""The share of a core that may be used: beyond it, delays grow."""

CALLS = 10_000
"""The calls of a server (`--max-calls`)."""

NODE_MEMORY = 64 << 30
"""Bytes of a Redis node."""

LINK = 10e9 / 8
"""Bytes a second of a network interface, in each direction."""


@dataclass(frozen=True)
class Streams:
    """What is asked for.

    Attributes:
        count: streams at once.
        rate: events a second in each.
        together: events in a message.
        readers: subscribers of each.
        places: servers that they are at.
        seconds: how long a stream lasts.
        kept: seconds that a finished stream is kept.

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
    """What the streams need, all together.

    Attributes:
        server_cores, redis_cores, sse_cores: cores that are busy.
        redis_memory, server_memory: bytes.
        client_bytes, redis_bytes, sse_bytes: bytes a second.
        servers: processes, for each limit.
        nodes: Redis primaries, for each limit.

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
    """What the streams need; bytes are those of events that come alone, which is too much for others."""
    events = streams.count * streams.rate
    sent = events / streams.together
    more = streams.readers - streams.places
    server_cores = (
        sent * (messages.publish + streams.places * messages.deliver)
        + events * (messages.published_event + streams.places * messages.delivered_event + more * others.reader)
        + streams.count * others.stream
    )
    redis_cores = sent * (messages.append + streams.places * messages.look)
    # The streams that are open are half as long as they will be, and those that ended are kept.
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
