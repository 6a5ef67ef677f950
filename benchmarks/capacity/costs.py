"""Measures the cost of an event, a message, a stream and a reader, over one Redis and at a steady rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..redis_nodes import running_nodes
from ..stream.contender import Contender
from ..stream.ours import Ours
from ..stream.sse import SSE
from .load import Load, Usage, measure

RATE = 50.0
TOGETHER = 5
"""Events per message, to measure the costs that the events of a message share."""
READERS = 3
IDLE_STREAMS = 300
SECONDS = 4.0
TRIES = 5

Run = Callable[..., Usage]


@dataclass(frozen=True)
class Messages:
    """Costs of messages, in seconds of a core or in bytes. The busier a process is, the less a message costs.

    Attributes:
        publish: a message from a publisher.
        deliver: a message to the first reader of a stream on a server.
        published_event: an event in a message from a publisher.
        delivered_event: an event in a message to a reader.
        append: CPU time of Redis for a message from a publisher.
        look: CPU time of Redis for a server that reads the message.
        append_bytes: bytes on the connections to Redis for a message from a publisher.
        look_bytes: bytes on the connections to Redis for a server that reads the message.
        redis_memory: memory of Redis for an event in a message of its own, in bytes.
        sse: plain SSE: an event, published and delivered to one reader.

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
    """Other costs, in seconds of a core or in bytes.

    Attributes:
        reader: a message with one event to each further reader of a stream on a server.
        stream: an open stream with one reader, per second.
        client_received: bytes on the connection of a client for a message from a publisher and its acknowledgement.
        client_sent: bytes on the connection of a client for a message to a reader.
        server_memory: memory of a server for an open stream with one reader, in bytes.
        sse_reader: plain SSE: an event to each further reader.
        sse_bytes: plain SSE: bytes of an event to a reader.

    """

    reader: float
    stream: float
    client_received: float
    client_sent: float
    server_memory: float
    sse_reader: float
    sse_bytes: float


def measured(few: int, many: int, tell: Callable[[str], None]) -> tuple[Messages, Messages, Others]:
    """Measures all costs. Messages are measured for a server with few streams and for one with many."""
    with running_nodes(1) as ports:
        ours, plain = Ours(f"redis://127.0.0.1:{ports[0]}"), SSE()

        def run(name: str, load: Load, *, contender: Contender = ours, count_bytes: bool = False) -> Usage:
            for _ in range(TRIES):
                usage = measure(contender, load, seconds=SECONDS, redis=ports, count_bytes=count_bytes)
                tell(f"{load.streams} streams, {name}: {usage}")
                enough = 0.95 * load.streams * load.rate * SECONDS
                if usage.published >= enough and usage.delivered >= enough * load.readers:
                    return usage
            raise SystemExit("the machine is too busy: the load fell behind its rate in all tries")

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
    """Returns the cost of the readers per delivered event: the difference to a load without them."""
    return (usage.cpu - usage.published * without.cpu / without.published) / usage.delivered


def _split(one: float, together: float) -> tuple[float, float]:
    """Splits the cost of an event into those of a message and of the event itself.

    An event in a message of its own costs `message + event`, an event among several `message / TOGETHER + event`.
    """
    message = (one - together) / (1 - 1 / TOGETHER)
    return message, one - message
