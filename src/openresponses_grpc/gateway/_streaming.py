"""The body of a streamed response."""

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
    # Turns off response buffering in nginx, which would delay events.
    "x-accel-buffering": "no",
}


class Interruption(Exception):  # noqa: N818
    """The stream cannot be read at the moment. The connection must be aborted, so that the reader resumes."""


async def chunks(
    reader: StreamReader, batch: Batch | None, exchange: Exchange, keep_alive: float
) -> AsyncIterator[bytes]:
    """Yields the events of a stream as server-sent events.

    A complete stream ends with `data: [DONE]`. A stream that can no longer be read ends with an `error` event.

    Args:
        reader: reader of the stream.
        batch: the first batch; None if none was ready.
        exchange: metrics and log line of the request.
        keep_alive: seconds of silence after which a comment is sent.

    Yields:
        Bytes of the body.

    Raises:
        Interruption: a retryable error: a later request may continue the stream.

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
    """Returns the next batch, or None after some seconds without one."""
    try:
        async with asyncio.timeout(seconds):
            return await reader.read()
    except TimeoutError:
        return None


def _sequence_number(reader: StreamReader, last: bytes | None) -> int:
    """Returns the sequence number for an additional event at the end."""
    number = sequence_number(last) if last else None
    if number is None:
        return reader.position.offset if reader.position else 0
    return int(number) + 1
