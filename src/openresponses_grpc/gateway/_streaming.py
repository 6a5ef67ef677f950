"""The body of a response that streams events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from ..client import StreamError
from ..framing._sse import DONE
from ._events import server_sent_events
from ._exchange import Exchange
from ._reading import Batch, StreamReader
from ._search import sequence_number

KEEP_ALIVE: Final = b": keep-alive\n\n"

HEADERS: Final = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    # nginx passes each event on at once, whatever its configuration says.
    "x-accel-buffering": "no",
}


class Interruption(Exception):  # noqa: N818
    """The stream cannot be read now: its reader is to be cut off, and resumes."""


async def chunks(
    reader: StreamReader, batch: Batch | None, exchange: Exchange, keep_alive: float
) -> AsyncIterator[bytes]:
    """Yields the events of a stream as server-sent events.

    A complete stream ends with `data: [DONE]`, and one that cannot be read further with an `error` event.

    Args:
        reader: reads the stream.
        batch: the first batch; None where none was ready.
        exchange: the request, for what is counted and logged.
        keep_alive: seconds of silence after which a comment is sent.

    Raises:
        Interruption: a later request may read on.

    """
    last: bytes | None = None
    try:
        while batch is None or batch.events:
            if batch is None:
                yield KEEP_ALIVE
            else:
                assert batch.after is not None
                for lines in server_sent_events(batch.events, batch.after):
                    chunk = b"".join(lines)
                    exchange.sent(len(lines), len(chunk))
                    yield chunk
                last = batch.events[-1]
            batch = await _next(reader, keep_alive)
    except Exception as error:
        problem = exchange.failed(error)
        if isinstance(error, StreamError) and error.retryable:
            raise Interruption from error
        yield problem.event(_sequence_number(reader, last))
        return
    yield DONE


async def _next(reader: StreamReader, seconds: float) -> Batch | None:
    """The next batch; None if there is none for so long."""
    try:
        async with asyncio.timeout(seconds):
            return await reader.read()
    except TimeoutError:
        return None


def _sequence_number(reader: StreamReader, last: bytes | None) -> int:
    """The sequence number of an event that comes now."""
    number = sequence_number(last) if last else None
    if number is None:
        return reader.position.offset if reader.position else 0
    return int(number) + 1
