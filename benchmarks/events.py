"""The events that the benchmarks use."""

from __future__ import annotations

from functools import cache
from itertools import cycle, islice

from .streams import make


@cache
def streams() -> dict[str, bytes]:
    """Returns the generated streams as NDJSON, by name."""
    return {name: make.ndjson(events) for name, events in make.streams().items()}


def lines(count: int | None = None) -> list[bytes]:
    """Returns the events of all streams as the API's JSON: each once, or repeated up to a count."""
    every = [line for stream in streams().values() for line in stream.splitlines()]
    return every if count is None else list(islice(cycle(every), count))


def text_deltas(count: int) -> list[bytes]:
    """Returns the given number of text deltas, as the API's JSON."""
    deltas = [line for line in lines() if b'"type":"response.output_text.delta"' in line]
    return list(islice(cycle(deltas), count))
