"""The gateway as an ASGI application."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ..client import AsyncEventStreamClient
from ._errors import HostError, Problem, ShuttingDownError, TokenError
from ._exchange import Exchange
from ._metrics import GatewayMetrics
from ._query import Query, bearer_token, is_loopback, parse_query
from ._retrieval import Retrieval, error_response


class Gateway:
    """An ASGI application that serves `GET /v1/responses/ID` from a stream service.

    Args:
        client: client of the stream service.
        token: bearer token for requests without one; None sends none.
        cors_origins: other origins whose pages may read responses.
        keep_alive: seconds of silence after which a stream sends a comment.
        local_only: reject requests whose Host is not localhost or a loopback address. Otherwise, by DNS rebinding, a
            malicious page could read the gateway as its own origin.

    Attributes:
        metrics: metrics of the gateway.

    """

    def __init__(
        self,
        client: AsyncEventStreamClient,
        *,
        token: str | None = None,
        cors_origins: Sequence[str] = (),
        keep_alive: float = 15.0,
        local_only: bool = False,
    ) -> None:
        self._client = client
        self._token = token
        self._keep_alive = keep_alive
        self._local_only = local_only
        self._open: set[Retrieval] = set()
        self._draining = False
        self.metrics = GatewayMetrics(lambda: len(self._open))
        cors = Middleware(
            CORSMiddleware, allow_origins=cors_origins, allow_methods=["GET"], allow_headers=["*"], max_age=600
        )
        self._app = Starlette(
            routes=[Route("/v1/responses/{stream_id:path}", self._retrieve, methods=["GET"])],
            middleware=[cors] if cors_origins else [],
            exception_handlers={HTTPException: _http_error},
        )
        self._app.router.redirect_slashes = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles a request."""
        await self._app(scope, receive, send)

    def drain(self) -> None:
        """Aborts all streams, so that their readers resume at another gateway, and rejects new requests."""
        self._draining = True
        for retrieval in self._open:
            retrieval.shut_down()

    async def _retrieve(self, request: Request) -> Retrieval:
        return Retrieval(request, self._prepare, Exchange(request, self.metrics), self._keep_alive, self._open)

    def _prepare(self, request: Request) -> tuple[Query, AsyncEventStreamClient]:
        if self._draining:
            raise ShuttingDownError
        host = request.headers.get("host", "")
        if self._local_only and not is_loopback(host):
            raise HostError(host)
        query = parse_query(request.query_params, request.headers)
        try:
            return query, self._client.with_token(bearer_token(request.headers) or self._token, fail_fast=True)
        except ValueError as error:
            raise TokenError(str(error)) from None


async def _http_error(request: Request, error: Exception) -> Response:
    """Handles an unknown path or method."""
    assert isinstance(error, HTTPException)
    message = f"{error.detail}: {request.method} {request.url.path}; the gateway serves GET /v1/responses/ID"
    response = error_response(Problem(error.status_code, error.detail.upper().replace(" ", "_"), message))
    response.headers.update(error.headers or {})
    return response
