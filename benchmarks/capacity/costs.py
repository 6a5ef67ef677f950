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
SECONDS = 4.0
TRIES = 5

Run = Callable[..., Usage]


@dataclass(frozen=True)
class Messages:
    """What messages cost; seconds of a core, and bytes. The busier a process is, the less a message costs it.

    Attributes:
        publish, deliver: a message from a publisher, and one to the first reader of a stream at a server.
        published_event, delivered_event: an event in such a message.
        append, look: Redis, for a message from a publisher, and for a server that reads it.
        append_bytes, look_bytes: on the connections to Redis.
        redis_memory: bytes that Redis holds for an event that came alone.
        sse: plain SSE, for an event that is published and delivered to one reader.

    """

    publish: float
    deliver: float
    published_event: float
    delivered_event: float
    append: float
    look: float
    append_bytes: float
    look_bytes: float
    redis_memory: float
    sse: float


@dataclass(frozen=True)
class Others:
    """What else costs; seconds of a core, and bytes.

    Attributes:
        reader: a message with one event to each further reader of a stream at a server.
        stream: an open stream with one reader, for a second.
        client_received, client_sent: bytes on the connections of clients: of a message from a publisher with its
            acknowledgement, and of one to a reader.
        server_memory: bytes of an open stream with one reader.
        sse_reader: plain SSE, for an event to each further reader.
        sse_bytes: bytes of an event to a reader.

    """

    reader: float
    stream: float
    client_received: float
    client_sent: float
    server_memory: float
    sse_reader: float
    sse_bytes: float


def measured(few: int, many: int, tell: Callable[[str], None]) -> tuple[Messages, Messages, Others]:
    """Measures all costs: those of messages for a server with few streams, and for one with many."""
    with running_nodes(1) as ports:
        ours, plain = Ours(f"redis://127.0.0.1:{ports[0]}"), SSE()

        def run(name: str, load: Load, *, contender: Contender = ours, count_bytes: bool = False) -> Usage:
            for _ in range(TRIES):
                usage = measure(contender, load, seconds=SECONDS, redis=ports, count_bytes=count_bytes)
                tell(f"{load.streams} streams, {name}: {usage}")
                enough = 0.95 * load.streams * load.rate * SECONDS
                if usage.published >= enough and usage.delivered >= enough * load.readers:
                    return usage
            raise SystemExit("something else keeps this machine busy: events fell behind their pace in all tries")

        return _messages(run, few, plain), _messages(run, many, plain), _others(run, few, plain)


def _messages(run: Run, streams: int, plain: Contender) -> Messages:
    alone = run("publishers", Load(streams, 0, RATE))
    alone_together = run("publishers, together", Load(streams, 0, RATE, TOGETHER))
    read = run("readers", Load(streams, 1, RATE))
    read_together = run("readers, together", Load(streams, 1, RATE, TOGETHER))
    sse = run("SSE", Load(streams, 1, RATE), contender=plain)
    publish, published_event = _split(alone.cpu / alone.published, alone_together.cpu / alone_together.published)
    deliver, delivered_event = _split(_delivered(read, alone), _delivered(read_together, alone_together))
    append = alone.redis.cpu / alone.published
    append_bytes = (alone.redis.received + alone.redis.sent) / alone.published
    return Messages(
        publish=publish,
        deliver=deliver,
        published_event=published_event,
        delivered_event=delivered_event,
        append=append,
        look=read.redis.cpu / read.published - append,
        append_bytes=append_bytes,
        look_bytes=(read.redis.received + read.redis.sent) / read.published - append_bytes,
        redis_memory=alone.redis.memory / alone.published,
        sse=sse.cpu / sse.published,
    )


def _others(run: Run, streams: int, plain: Contender) -> Others:
    one = run("one reader", Load(streams, 1, RATE))
    more = run("more readers", Load(streams, READERS, RATE))
    sse_one = run("SSE, one reader", Load(streams, 1, RATE), contender=plain)
    sse_more = run("SSE, more readers", Load(streams, READERS, RATE), contender=plain)
    carried = run("bytes of publishers", Load(streams, 0, RATE), count_bytes=True)
    carried_read = run("bytes of readers", Load(streams, 1, RATE), count_bytes=True)
    sse_carried = run("bytes of SSE", Load(streams, 1, RATE), contender=plain, count_bytes=True)
    idle = run("idle", Load(IDLE_STREAMS, 1, 0))
    few = run("idle", Load(1, 1, 0))
    acknowledged = carried.from_servers / carried.published
    return Others(
        reader=_delivered(more, one) * READERS / (READERS - 1),
        stream=max(0.0, idle.cpu / idle.seconds - few.cpu / few.seconds) / (IDLE_STREAMS - 1),
        client_received=carried.to_servers / carried.published + acknowledged,
        client_sent=carried_read.from_servers / carried_read.published - acknowledged,
        server_memory=(idle.memory - few.memory) / (IDLE_STREAMS - 1),
        sse_reader=_delivered(sse_more, sse_one) * READERS / (READERS - 1),
        sse_bytes=sse_carried.from_servers / sse_carried.published,
    )


def _delivered(usage: Usage, without: Usage) -> float:
    """What the readers cost that another load does not have, for each event that is delivered."""
    return (usage.cpu - usage.published * without.cpu / without.published) / usage.delivered


def _split(one: float, together: float) -> tuple[float, float]:
    """The cost of a message and that of an event, by the costs of an event alone and of one of TOGETHER.

    An event alone costs `message + event`, one of several `message / TOGETHER + event`.
    """
    message = (one - together) / (1 - 1 / TOGETHER)
    return message, one - message
