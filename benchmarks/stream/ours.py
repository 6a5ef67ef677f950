"""This project's server and client library."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from openresponses_grpc import AsyncEventStreamClient, from_json
from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.store import StoreLimits, open_store
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from .. import events
from .contender import Client, Send


class OurClient:
    def __init__(self, client: AsyncEventStreamClient) -> None:
        self._client = client

    @asynccontextmanager
    async def publishing(self, stream_id: str) -> AsyncIterator[Send]:
        async with self._client.publish(stream_id) as publisher:
            yield publisher.send

    def subscribe(self, stream_id: str) -> AsyncIterator[OpenResponsesStreamEvent]:
        return self._client.subscribe(stream_id)


class Ours:
    """The stream service with a store.

    Args:
        store: URL of the store.

    """

    def __init__(self, store: str = "memory:") -> None:
        self._store = store

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        limits = StoreLimits(max_stream_bytes=1 << 30)
        if not self._store.startswith("redis"):  # Redis has a limit of its own
            limits = replace(limits, max_bytes=4 << 30)
        async with (
            open_store(self._store, limits) as store,
            running_server(StreamService(store), "127.0.0.1:0") as address,
        ):
            yield address

    @asynccontextmanager
    async def connect(self, address: str) -> AsyncIterator[Client]:
        async with AsyncEventStreamClient(address) as client:
            yield OurClient(client)

    def events(self, count: int) -> list[OpenResponsesStreamEvent]:
        return [from_json(line) for line in events.text_deltas(count)]
