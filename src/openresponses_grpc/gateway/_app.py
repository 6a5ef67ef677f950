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
from ._query import Query, bearer_token, names_loopback, parse_query
from ._retrieval import Retrieval, refusal


class Gateway:
    """`GET /v1/responses/ID` over a stream service; an ASGI application.

    Args:
        client: the client for the service.
        token: the token for requests without one; None for none.
        cors_origins: the origins whose pages may read, besides the gateway's own.
        keep_alive: seconds of silence after which a stream has a comment.
        local_only: refuse requests whose Host is not this machine's own: a page of another site can have its name
            resolve to a loopback address, and would be of the same origin.

    Attributes:
        metrics: what is counted.

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
        """Answers a request."""
        await self._app(scope, receive, send)

    def drain(self) -> None:
        """Cuts every stream off, so that its reader resumes at another gateway, and refuses what comes after."""
        self._draining = True
        for retrieval in self._open:
            retrieval.shut_down()

    async def _retrieve(self, request: Request) -> Retrieval:
        return Retrieval(request, self._prepare, Exchange(request, self.metrics), self._keep_alive, self._open)

    def _prepare(self, request: Request) -> tuple[Query, AsyncEventStreamClient]:
        if self._draining:
            raise ShuttingDownError
        host = request.headers.get("host", "")
        if self._local_only and not names_loopback(host):
            raise HostError(host)
        query = parse_query(request.query_params, request.headers)
        try:
            return query, self._client.with_token(bearer_token(request.headers) or self._token, fail_fast=True)
        except ValueError as error:
            raise TokenError(str(error)) from None


async def _http_error(request: Request, error: Exception) -> Response:
    """A path or a method that the gateway does not have."""
    assert isinstance(error, HTTPException)
    message = f"{error.detail}: {request.method} {request.url.path}; the gateway has GET /v1/responses/ID"
    response = refusal(Problem(error.status_code, error.detail.upper().replace(" ", "_"), message))
    response.headers.update(error.headers or {})
    return response
