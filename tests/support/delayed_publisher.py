"""A publisher is killed while its last requests are in flight; they arrive while its successor starts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product
from typing import Any, Final, NamedTuple

import grpc

from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.store import Store
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc.v1.stream_service_pb2 import PublishRequest, PublishResponse, SubscribeRequest
from openresponses_grpc.v1.stream_service_pb2_grpc import OpenResponsesStreamServiceStub

from .events import event
from .holding_proxy import HoldingProxy

DELAYED: Final = ("draw", "claim and events", "events")
"""The requests of the killed publisher that are in flight."""

ARRIVES: Final = ("before the draw", "before the claim", "before the first event", "after the first event")
"""The point in the successor's start at which they arrive."""

CASES: Final = list(product(DELAYED, ARRIVES))


class _Publisher:
    """A publisher that sends one request at a time and records acknowledged events."""

    def __init__(self, channel: grpc.aio.Channel, stream_id: str, log: dict[int, OpenResponsesStreamEvent]) -> None:
        self._call: Any = OpenResponsesStreamServiceStub(channel).Publish()
        self._stream_id = stream_id
        self._log = log
        self._number = self._epoch = 0
        self.offset = 0

    async def draw(self) -> None:
        response = await self._exchange(PublishRequest(stream_id=self._stream_id, publisher=0))
        self._number, self._epoch, self.offset = response.publisher, response.epoch, response.next_offset

    async def claim(self) -> None:
        self.offset = (await self._exchange(self._request())).next_offset

    async def append(self, made: OpenResponsesStreamEvent, *, end_of_stream: bool = False) -> None:
        response = await self._exchange(self._request(made, end_of_stream=end_of_stream))
        self._log[self.offset] = made
        self.offset += 1
        assert response.next_offset == self.offset

    async def send(self, *events: OpenResponsesStreamEvent) -> None:
        """Sends a request for each event, or a claim without events, and does not wait for acknowledgements."""
        for place, made in enumerate(events, self.offset):
            await self._call.write(self._request(made, first_offset=place))
        if not events:
            await self._call.write(self._request())

    async def send_draw(self) -> None:
        await self._call.write(PublishRequest(stream_id=self._stream_id, publisher=0))

    def _request(
        self, *events: OpenResponsesStreamEvent, first_offset: int | None = None, end_of_stream: bool = False
    ) -> PublishRequest:
        return PublishRequest(
            stream_id=self._stream_id,
            publisher=self._number,
            epoch=self._epoch,
            first_offset=self.offset if first_offset is None else first_offset,
            events=events,
            end_of_stream=end_of_stream,
        )

    async def _exchange(self, request: PublishRequest) -> PublishResponse:
        await self._call.write(request)
        response = await self._call.read()
        assert isinstance(response, PublishResponse)
        return response


@asynccontextmanager
async def serving(store: Store) -> AsyncIterator[tuple[str, StreamService]]:
    """Runs a server over a store; yields its address, and the service for its metrics."""
    service = StreamService(store)
    async with running_server(service, "127.0.0.1:0") as address:
        yield address, service


class Outcome(NamedTuple):
    """The differences between a log and the acknowledgements, as numbers of events.

    Attributes:
        lost: acknowledged events that are missing at their offset.
        twice: duplicate events.
        late: events of the killed publisher that were stored after its successor's claim.

    """

    lost: int
    twice: int
    late: int


async def succeed(address: str, stream_id: str, delayed: str, arrives: str) -> Outcome:
    """Kills a publisher with requests in flight, and starts its successor."""
    log: dict[int, OpenResponsesStreamEvent] = {}
    late = [event(100), event(101)]
    proxy = HoldingProxy(address)
    async with proxy.running() as through, grpc.aio.insecure_channel(address) as channel:
        async with grpc.aio.insecure_channel(through) as old_channel:
            old = _Publisher(old_channel, stream_id, log)
            if delayed == "draw":
                await old_channel.channel_ready()
                proxy.hold()
                await old.send_draw()
                requests = 1
            else:
                await old.draw()
                if delayed == "events":
                    await old.claim()
                    await old.append(event(0))
                proxy.hold()
                if delayed != "events":
                    await old.send()
                await old.send(*late)
                requests = 2 if delayed == "events" else 3
            await proxy.kill(requests)
        new = _Publisher(channel, stream_id, log)

        async def reach(place: str) -> None:
            if place == arrives:
                await proxy.release()

        await reach("before the draw")
        await new.draw()
        await reach("before the claim")
        await new.claim()
        await reach("before the first event")
        await new.append(event(1))
        await reach("after the first event")
        await new.append(event(2), end_of_stream=True)
        call = OpenResponsesStreamServiceStub(channel).Subscribe(SubscribeRequest(stream_id=stream_id))
        received = [made async for response in call for made in response.events]
    assert received[-1] == log[max(log)], "the last event of the successor ends the stream"
    return Outcome(
        lost=sum(received[offset] != made for offset, made in log.items()),
        twice=len(received) - len({made.SerializeToString() for made in received}),
        late=sum(made in late for made in received) if arrives.endswith("first event") else 0,
    )


def refusals(service: StreamService) -> int:
    """The number of calls of fenced publishers in the metrics of the service."""
    return sum(
        int(sample.value)
        for metric in service.metrics.registry.collect()
        for sample in metric.samples
        if sample.name == "openresponses_calls_total" and sample.labels["reason"] == "PUBLISHER_FENCED"
    )
