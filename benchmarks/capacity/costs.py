"""What one event, one message, one stream and one reader cost. Measured over one Redis, at a steady pace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..stream.contender import Contender
from ..stream.ours import Ours
from ..stream.sse import SSE
from .load import Load, Usage, measure
from .redis_nodes import running_nodes

STREAMS = 5
RATE = 50.0
TOGETHER = 5
"""Events in a message, for the costs that many share."""
READERS = 3
IDLE_STREAMS = 300


@dataclass(frozen=True)
class Costs:
    """What things cost; seconds of a core, and bytes.

    Attributes:
        publish, deliver: a message from a publisher, and one to the first reader of a stream at a server.
        reader: a message to each further reader there.
        published_event, delivered_event: an event in such a message.
        stream: an open stream with one reader, for a second.
        append, look: Redis, for a message from a publisher, and for a server that reads it.
        append_bytes, look_bytes: on the connections to Redis.
        redis_memory: bytes that Redis holds for an event that came alone.
        client_received, client_sent: bytes on the connections of clients: of a message from a publisher with its
            acknowledgement, and of one to a reader.
        server_memory: bytes of an open stream with one reader.
        sse_message, sse_reader: plain SSE, for an event published and delivered to one reader, and to each further one.
        sse_bytes: bytes of an event to a reader.

    """

    publish: float
    deliver: float
    reader: float
    published_event: float
    delivered_event: float
    stream: float
    append: float
    look: float
    append_bytes: float
    look_bytes: float
    redis_memory: float
    client_received: float
    client_sent: float
    server_memory: float
    sse_message: float
    sse_reader: float
    sse_bytes: float


def measured(seconds: float, rounds: int, tell: Callable[[str], None]) -> Costs:
    """Measures all costs: those of the processor in rounds, in which the loads take turns."""
    with running_nodes(1) as ports:
        ours: Contender = Ours(f"redis://127.0.0.1:{ports[0]}")
        plain: Contender = SSE()

        def run(name: str, contender: Contender, load: Load, *, count_bytes: bool = False) -> Usage:
            usage = measure(contender, load, seconds=seconds, redis=ports, count_bytes=count_bytes)
            tell(
                f"{name}: published {usage.published / usage.seconds:,.0f}/s, delivered"
                f" {usage.delivered / usage.seconds:,.0f}/s, servers {usage.cpu / usage.seconds:.2f} cores, Redis"
                f" {usage.redis.cpu / usage.seconds:.2f} cores, clients {usage.clients_cpu / usage.seconds:.2f} cores"
            )
            return usage

        loads = {
            "publishers": (ours, Load(STREAMS, 0, RATE)),
            "publishers, together": (ours, Load(STREAMS, 0, RATE, TOGETHER)),
            "readers": (ours, Load(STREAMS, 1, RATE)),
            "readers, together": (ours, Load(STREAMS, 1, RATE, TOGETHER)),
            "many readers": (ours, Load(STREAMS, READERS, RATE)),
            "SSE": (plain, Load(STREAMS, 1, RATE)),
            "SSE, many readers": (plain, Load(STREAMS, READERS, RATE)),
        }
        usages = [{name: run(name, *load) for name, load in loads.items()} for _ in range(rounds)]
        alone, alone_together, read, read_together, many, sse, sse_many = (
            sorted((each[name] for each in usages), key=lambda usage: usage.cpu / usage.published)[rounds // 2]
            for name in loads
        )
        carried = run("bytes of publishers", ours, Load(STREAMS, 0, RATE), count_bytes=True)
        carried_read = run("bytes of readers", ours, Load(STREAMS, 1, RATE), count_bytes=True)
        sse_carried = run("bytes of SSE", plain, Load(STREAMS, 1, RATE), count_bytes=True)
        idle = run("idle streams", ours, Load(IDLE_STREAMS, 1, 0))
        few = run("few idle streams", ours, Load(1, 1, 0))

    publish, published_event = _split(alone.cpu / alone.published, alone_together.cpu / alone_together.published)
    deliver, delivered_event = _split(_delivered(read, alone), _delivered(read_together, alone_together))
    append = alone.redis.cpu / alone.published
    append_bytes = (alone.redis.received + alone.redis.sent) / alone.published
    client_received = carried.to_servers / carried.published
    client_acknowledged = carried.from_servers / carried.published
    return Costs(
        publish=publish,
        deliver=deliver,
        reader=(_delivered(many, alone) * READERS - _delivered(read, alone)) / (READERS - 1) - delivered_event,
        published_event=published_event,
        delivered_event=delivered_event,
        stream=(idle.cpu / idle.seconds - few.cpu / few.seconds) / (IDLE_STREAMS - 1),
        append=append,
        look=read.redis.cpu / read.published - append,
        append_bytes=append_bytes,
        look_bytes=(read.redis.received + read.redis.sent) / read.published - append_bytes,
        redis_memory=alone.redis.memory / alone.published,
        client_received=client_received + client_acknowledged,
        client_sent=carried_read.from_servers / carried_read.published - client_acknowledged,
        server_memory=(idle.memory - few.memory) / (IDLE_STREAMS - 1),
        sse_message=sse.cpu / sse.published,
        sse_reader=_delivered(sse_many, sse) * READERS / (READERS - 1),
        sse_bytes=sse_carried.from_servers / sse_carried.published,
    )


def _delivered(usage: Usage, without: Usage) -> float:
    """The cost of each event that was delivered, beside what a load without these readers cost."""
    return (usage.cpu - usage.published * without.cpu / without.published) / usage.delivered


def _split(one: float, together: float) -> tuple[float, float]:
    """The cost of a message and that of an event, by the costs of an event alone and of one of TOGETHER.

    An event alone costs `message + event`, one of several `message / TOGETHER + event`.
    """
    message = (one - together) / (1 - 1 / TOGETHER)
    return message, one - message
