"""A plain server of server-sent events: Starlette on uvicorn, with the events in a list, without a log and ids.

It reads its streams from a file. Each line is a stream id and the JSON of an event, so that no conversion is needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route


def application(streams: dict[str, list[bytes]]) -> Starlette:
    async def events(lines: list[bytes]) -> AsyncIterator[bytes]:
        for line in lines:
            yield b"event: response.output_text.delta\ndata: " + line + b"\n\n"
        yield b"data: [DONE]\n\n"

    async def retrieve(request: Request) -> StreamingResponse:
        return StreamingResponse(events(streams[request.path_params["stream_id"]]), media_type="text/event-stream")

    return Starlette(routes=[Route("/v1/responses/{stream_id}", retrieve)])


def streams_in(file: Path) -> dict[str, list[bytes]]:
    streams: dict[str, list[bytes]] = defaultdict(list)
    for line in file.read_bytes().splitlines():
        stream_id, _, event = line.partition(b" ")
        streams[stream_id.decode()].append(event)
    return streams


async def serve(streams: dict[str, list[bytes]]) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    config = uvicorn.Config(application(streams), log_level="warning", access_log=False, lifespan="off", ws="none")
    print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    await uvicorn.Server(config).serve([listener])


if __name__ == "__main__":
    asyncio.run(serve(streams_in(Path(sys.argv[1]))))
