"""One request for a response or its events."""

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
from ._reading import Batch, StreamReader, until_it_exists
from ._snapshot import snapshot
from ._streaming import HEADERS, Interruption, chunks

SETTLE_SECONDS: Final = 1.0
"""How long a response waits for the first events, or for an error that then has an HTTP status."""


class Retrieval:
    """An ASGI response: the events of a stream, or the response in its current state.

    Its call ends when the reader leaves. A stream that the gateway ends is cut off: without an end of the body, its
    reader knows that there is more, and resumes elsewhere.

    Args:
        request: the request.
        prepare: reads the request, and makes the client with its token.
        exchange: what is counted and logged.
        keep_alive: seconds of silence after which a stream has a comment.
        open: the requests that are being answered, with this one while it is.

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
        self._responding: asyncio.Task[None] | None = None
        self._shutting_down = False

    def shut_down(self) -> None:
        """Ends the request."""
        self._shutting_down = True
        if self._responding:
            self._responding.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the response, until its end or the reader's."""
        self._responding = asyncio.create_task(self._respond(scope, receive, send))
        leaving = asyncio.create_task(_disconnected(receive))
        self._open.add(self)
        try:
            await asyncio.wait((self._responding, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._responding.cancel()
            leaving.cancel()
            await asyncio.wait((self._responding, leaving))
            self._open.discard(self)
            self._exchange.ended()
        if not self._responding.cancelled() and (error := self._responding.exception()):
            self._exchange.failed(error)
            raise error

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun: Response | tuple[StreamReader, Batch | None]
        try:
            query, client = self._prepare(self._request)
            self._exchange.kind = "stream" if query.stream else "response"
            begun = await self._begin(client, query)
        except asyncio.CancelledError:
            if not self._shutting_down:
                raise
            begun = refusal(self._exchange.failed(ShuttingDownError()))
        except Exception as error:
            begun = refusal(self._exchange.failed(error))
        if isinstance(begun, Response):
            self._exchange.status = begun.status_code
            await begun(scope, receive, send)
            return
        self._exchange.status = 200
        reader, first = begun
        try:
            await send({"type": "http.response.start", "status": 200, "headers": Headers(HEADERS).raw})
            async for chunk in chunks(reader, first, self._exchange, self._keep_alive):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except Interruption:
            pass  # without an end of the body, the connection is cut off
        finally:
            await reader.close()

    async def _begin(
        self, client: AsyncEventStreamClient, query: Query
    ) -> Response | tuple[StreamReader, Batch | None]:
        try:
            return await self._once(client, query)
        except StreamError as error:
            # A position names a stream that has been there, and will not come back.
            if error.reason != "STREAM_NOT_FOUND" or query.position or not query.wait:
                raise
        await until_it_exists(client, self._stream_id, query.wait)
        return await self._once(client, query)

    async def _once(self, client: AsyncEventStreamClient, query: Query) -> Response | tuple[StreamReader, Batch | None]:
        if not query.stream:
            headers = {"cache-control": "no-store"}
            return Response(await snapshot(client, self._stream_id), headers=headers, media_type="application/json")
        reader = StreamReader(client, self._stream_id, query)
        keep = False
        try:
            first = await _first(reader)
            if query.position and first and not first.events:
                return Response(status_code=204, headers=HEADERS)  # tells a browser not to reconnect
            if self._request.method == "HEAD":
                return Response(headers=HEADERS)
            keep = True
        finally:
            if not keep:
                await reader.close()
        return reader, first


def refusal(problem: Problem) -> Response:
    """The response that tells of a problem."""
    return JSONResponse(problem.body, problem.status, problem.headers)


async def _first(reader: StreamReader) -> Batch | None:
    """The first batch; None if there is none for so long that the response starts without it."""
    try:
        async with asyncio.timeout(SETTLE_SECONDS):
            return await reader.read()
    except (TimeoutError, StreamFailedError):
        return None  # a failure is told in the stream, behind its events or alone: reading again raises it again


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
