"""What one event, one message, one stream and one reader cost. Measured over one Redis, at a steady pace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..stream.contender import Contender
from ..stream.ours import Ours
from ..stream.sse import SSE
from .load import Load, Usage, measure
from .redis_nodes import running_nodes

RATE = 50.0
TOGETHER = 5
"""Events in a message, for the costs that many share."""
READERS = 3
IDLE_STREAMS = 300
TRIES = 5


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


def measured(streams: int, seconds: float, tell: Callable[[str], None]) -> Costs:
    """Measures all costs at the load of some streams: the busier a process is, the less an event costs it."""
    with running_nodes(1) as ports:
        ours = Ours(f"redis://127.0.0.1:{ports[0]}")
        plain = SSE()

        def run(name: str, contender: Contender, load: Load, *, count_bytes: bool = False) -> Usage:
            for _ in range(TRIES):
                usage = measure(contender, load, seconds=seconds, redis=ports, count_bytes=count_bytes)
                tell(f"{name}: {usage}")
                enough = 0.95 * load.streams * load.rate * seconds
                if usage.published >= enough and usage.delivered >= enough * load.readers:
                    return usage
            raise SystemExit("something else keeps this machine busy: events fell behind their pace in all tries")

        alone = run("publishers", ours, Load(streams, 0, RATE))
        alone_together = run("publishers, together", ours, Load(streams, 0, RATE, TOGETHER))
        read = run("readers", ours, Load(streams, 1, RATE))
        read_together = run("readers, together", ours, Load(streams, 1, RATE, TOGETHER))
        many = run("many readers", ours, Load(streams, READERS, RATE))
        sse = run("SSE", plain, Load(streams, 1, RATE))
        sse_many = run("SSE, many readers", plain, Load(streams, READERS, RATE))
        carried = run("bytes of publishers", ours, Load(5, 0, RATE), count_bytes=True)
        carried_read = run("bytes of readers", ours, Load(5, 1, RATE), count_bytes=True)
        sse_carried = run("bytes of SSE", plain, Load(5, 1, RATE), count_bytes=True)
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
