"""A plain chain of server-sent events: Starlette on uvicorn, httpx-sse, and the standard library's JSON."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import httpx_sse
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from .. import events
from .contender import Client, Log, Send


def application() -> Starlette:
    logs: dict[str, Log] = defaultdict(Log)

    async def publish(request: Request) -> Response:
        log = logs[request.path_params["stream_id"]]
        rest = b""
        async for chunk in request.stream():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                log.append(b"data: " + line + b"\n\n")
        log.end()
        return Response(status_code=204)

    async def subscribe(request: Request) -> Response:
        log = logs[request.path_params["stream_id"]]
        return StreamingResponse(log.read(), media_type="text/event-stream")

    path = "/streams/{stream_id}"
    return Starlette(routes=[Route(path, publish, methods=["POST"]), Route(path, subscribe, methods=["GET"])])


class SSEClient:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    @asynccontextmanager
    async def publishing(self, stream_id: str) -> AsyncIterator[Send]:
        # httpx pulls the request body, and the publisher pushes events, so they need a queue. All queued events go into
        # one chunk; one chunk per event would be several times slower.
        queue: asyncio.Queue[bytes] = asyncio.Queue(1000)

        async def body() -> AsyncIterator[bytes]:
            lines = [await queue.get()]
            while lines[-1]:
                while lines[-1] and not queue.empty():
                    lines.append(queue.get_nowait())
                yield b"".join(lines)
                if lines[-1]:
                    lines = [await queue.get()]

        async def send(event: dict[str, Any]) -> None:
            await queue.put(json.dumps(event, separators=(",", ":")).encode() + b"\n")

        post = asyncio.create_task(self._client.post(f"/streams/{stream_id}", content=body()))
        yield send
        await queue.put(b"")
        (await post).raise_for_status()

    async def subscribe(self, stream_id: str) -> AsyncIterator[dict[str, Any]]:
        async with httpx_sse.aconnect_sse(self._client, "GET", f"/streams/{stream_id}") as source:
            async for event in source.aiter_sse():
                yield json.loads(event.data)


class SSE:
    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = uvicorn.Server(
                uvicorn.Config(application(), log_level="warning", access_log=False, lifespan="off")
            )
            task = asyncio.create_task(server.serve([listener]))
            try:
                yield f"127.0.0.1:{listener.getsockname()[1]}"
            finally:
                server.should_exit = True
                await task

    @asynccontextmanager
    async def connect(self, address: str) -> AsyncIterator[Client]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=f"http://{address}", timeout=None, limits=limits) as client:
            yield SSEClient(client)

    def events(self, count: int) -> list[dict[str, Any]]:
        return [json.loads(line) for line in events.text_deltas(count)]
