"""A straightforward gRPC implementation: the same messages, with one event in each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import grpc

from openresponses_grpc import from_json
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc.v1.stream_service_pb2 import (
    PublishRequest,
    PublishResponse,
    SubscribeRequest,
    SubscribeResponse,
)
from openresponses_grpc.v1.stream_service_pb2_grpc import (
    OpenResponsesStreamServiceServicer,
    OpenResponsesStreamServiceStub,
    add_OpenResponsesStreamServiceServicer_to_server,
)

from .. import events
from .contender import Client, Log, Send


class Servicer(OpenResponsesStreamServiceServicer):
    def __init__(self) -> None:
        self._logs: dict[str, Log] = defaultdict(Log)

    async def Publish(  # noqa: N802
        self, request_iterator: AsyncIterator[PublishRequest], context: Any
    ) -> AsyncIterator[PublishResponse]:
        count = 0
        async for request in request_iterator:
            log = self._logs[request.stream_id]
            for event in request.events:
                log.append(event.SerializeToString())
                count += 1
        log.end()
        yield PublishResponse(next_offset=count)

    async def Subscribe(  # noqa: N802
        self, request: SubscribeRequest, context: Any
    ) -> AsyncIterator[SubscribeResponse]:
        async for entry in self._logs[request.stream_id].read():
            yield SubscribeResponse(events=[OpenResponsesStreamEvent.FromString(entry)])


class SingleClient:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub: Any = OpenResponsesStreamServiceStub(channel)

    @asynccontextmanager
    async def publishing(self, stream_id: str) -> AsyncIterator[Send]:
        call = self._stub.Publish()

        async def send(event: OpenResponsesStreamEvent) -> None:
            await call.write(PublishRequest(stream_id=stream_id, events=[event]))

        yield send
        await call.done_writing()
        await call.read()

    async def subscribe(self, stream_id: str) -> AsyncIterator[OpenResponsesStreamEvent]:
        call = self._stub.Subscribe(SubscribeRequest(stream_id=stream_id))
        while isinstance(response := await call.read(), SubscribeResponse):
            yield response.events[0]


@asynccontextmanager
async def _serving(server: grpc.aio.Server) -> AsyncIterator[str]:
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


class Single:
    def serve(self) -> AbstractAsyncContextManager[str]:
        server = grpc.aio.server()
        add_OpenResponsesStreamServiceServicer_to_server(Servicer(), server)  # type: ignore[abstract]
        return _serving(server)

    @asynccontextmanager
    async def connect(self, address: str) -> AsyncIterator[Client]:
        async with grpc.aio.insecure_channel(address) as channel:
            yield SingleClient(channel)

    def events(self, count: int) -> list[OpenResponsesStreamEvent]:
        return [from_json(line) for line in events.text_deltas(count)]


class EchoClient:
    """One call for both publisher and subscriber: the server echoes each message."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._call: Any = channel.stream_stream("/benchmark/Echo")()

    @asynccontextmanager
    async def publishing(self, stream_id: str) -> AsyncIterator[Send]:
        async def send(event: OpenResponsesStreamEvent) -> None:
            await self._call.write(event.SerializeToString())

        yield send
        await self._call.done_writing()

    async def subscribe(self, stream_id: str) -> AsyncIterator[OpenResponsesStreamEvent]:
        while isinstance(data := await self._call.read(), bytes):
            yield OpenResponsesStreamEvent.FromString(data)


class Echo(Single):
    """A bare grpc.aio stream that echoes each message: the cost of a gRPC round trip alone."""

    def serve(self) -> AbstractAsyncContextManager[str]:
        async def echo(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
            async for request in requests:
                yield request

        server = grpc.aio.server()
        handler: Any = grpc.stream_stream_rpc_method_handler(echo)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("benchmark", {"Echo": handler}),))
        return _serving(server)

    @asynccontextmanager
    async def connect(self, address: str) -> AsyncIterator[Client]:
        async with grpc.aio.insecure_channel(address) as channel:
            yield EchoClient(channel)
