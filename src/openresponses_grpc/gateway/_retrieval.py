"""Handles one request for a response or its events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from ..client import AsyncEventStreamClient, StreamError, StreamFailedError
from ._errors import Problem, ShuttingDownError
from ._exchange import Exchange
from ._query import Query
from ._reading import Batch, StreamReader, wait_for_stream
from ._snapshot import snapshot
from ._streaming import HEADERS, Interruption, chunks

SETTLE_SECONDS: Final = 1.0
"""Seconds to wait for the first events before the response starts. An error within this time gets an HTTP status."""


class Retrieval:
    """An ASGI response: the events of a stream, or the current state of the response.

    It ends when the reader disconnects. If the gateway shuts down, it aborts the connection without ending the body, so
    that the reader knows that the stream is incomplete and resumes elsewhere.

    Args:
        request: the request.
        prepare: parses the request, and returns a client with its token.
        exchange: metrics and log line of the request.
        keep_alive: seconds of silence after which a stream sends a comment.
        open: set of the requests in progress, which includes this one while it is.

    """

    def __init__(
        self,
        request: Request,
        prepare: Callable[[Request], tuple[Query, AsyncEventStreamClient]],
        exchange: Exchange,
        keep_alive: float,
        open: set[Retrieval],
    ) -> None:
        self._request = request
        self._stream_id: str = request.path_params["stream_id"]
        self._prepare = prepare
        self._exchange = exchange
        self._keep_alive = keep_alive
        self._open = open
        self._response_task: asyncio.Task[None] | None = None
        self._shutting_down = False

    def shut_down(self) -> None:
        """Aborts the request."""
        self._shutting_down = True
        if self._response_task:
            self._response_task.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the response, until it ends or the reader disconnects."""
        self._response_task = asyncio.create_task(self._respond(scope, receive, send))
        disconnect = asyncio.create_task(_wait_for_disconnect(receive))
        self._open.add(self)
        try:
            await asyncio.wait((self._response_task, disconnect), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._response_task.cancel()
            disconnect.cancel()
            await asyncio.wait((self._response_task, disconnect))
            self._open.discard(self)
            self._exchange.ended()
        if not self._response_task.cancelled() and (error := self._response_task.exception()):
            self._exchange.failed(error)
            raise error

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        result: Response | tuple[StreamReader, Batch | None]
        try:
            query, client = self._prepare(self._request)
            self._exchange.kind = "stream" if query.stream else "response"
            result = await self._begin(client, query)
        except asyncio.CancelledError:
            if not self._shutting_down:
                raise
            result = error_response(self._exchange.failed(ShuttingDownError()))
        except Exception as error:
            result = error_response(self._exchange.failed(error))
        if isinstance(result, Response):
            self._exchange.status = result.status_code
            await result(scope, receive, send)
            return
        self._exchange.status = 200
        reader, first = result
        try:
            await send({"type": "http.response.start", "status": 200, "headers": Headers(HEADERS).raw})
            async for chunk in chunks(reader, first, self._exchange, self._keep_alive):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except Interruption:
            pass  # returning without the end of the body makes the server abort the connection
        finally:
            await reader.close()

    async def _begin(
        self, client: AsyncEventStreamClient, query: Query
    ) -> Response | tuple[StreamReader, Batch | None]:
        try:
            return await self._try_begin(client, query)
        except StreamError as error:
            # With a position, the stream has existed, and will not exist again with the same epoch.
            if error.reason != "STREAM_NOT_FOUND" or query.position or not query.wait:
                raise
        await wait_for_stream(client, self._stream_id, query.wait)
        return await self._try_begin(client, query)

    async def _try_begin(
        self, client: AsyncEventStreamClient, query: Query
    ) -> Response | tuple[StreamReader, Batch | None]:
        if not query.stream:
            headers = {"cache-control": "no-store"}
            return Response(await snapshot(client, self._stream_id), headers=headers, media_type="application/json")
        reader = StreamReader(client, self._stream_id, query)
        keep = False
        try:
            first = await _first_batch(reader)
            if query.position and first and not first.events:
                return Response(status_code=204, headers=HEADERS)  # tells a browser not to reconnect
            if self._request.method == "HEAD":
                return Response(headers=HEADERS)
            keep = True
        finally:
            if not keep:
                await reader.close()
        return reader, first


def error_response(problem: Problem) -> Response:
    """Returns the HTTP response for a problem."""
    return JSONResponse(problem.body, problem.status, problem.headers)


async def _first_batch(reader: StreamReader) -> Batch | None:
    """Returns the first batch, or None if the response has to start without it."""
    try:
        async with asyncio.timeout(SETTLE_SECONDS):
            return await reader.read()
    except (TimeoutError, StreamFailedError):
        return None  # a failure is reported in the stream: the next read raises it again


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
