"""Publishers and subscribers that record what they send and receive, for the validator."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count

import grpc

from openresponses_grpc import AsyncEventPublisher, AsyncEventStreamClient, EventStreamClient
from openresponses_grpc.client._channel import OPTIONS
from openresponses_grpc.position import Position
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc.v1.stream_service_pb2 import PublishRequest, SubscribeRequest, SubscribeResponse
from openresponses_grpc.v1.stream_service_pb2_grpc import OpenResponsesStreamServiceStub

from .validator import Published, Received, Verdict, validate

BURST = 30
"""The maximum number of events between two flushes."""


class Stream:
    """A stream with one publisher and any number of subscribers, which record their events.

    Attributes:
        id: the stream id.
        published: the record of the publisher.
        received: the record of each subscriber.

    """

    def __init__(self, id: str) -> None:
        self.id = id
        self.published = Published()
        self.received: list[Received] = []

    @asynccontextmanager
    async def traffic(self, *targets: str, subscribers: int) -> AsyncIterator[None]:
        """Publishes the stream to subscribers of every kind until the context ends.

        Args:
            targets: gRPC targets; the subscribers are spread over them.
            subscribers: the number of subscribers, a multiple of 5.

        """
        over = False
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(AsyncEventStreamClient(target)) for target in targets]
            threads = stack.enter_context(EventStreamClient(targets[0]))
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(targets[-1], options=OPTIONS))
            async with asyncio.TaskGroup() as group:
                group.create_task(self.publish(clients[0], lambda: over, pause=0.05))
                for number in range(subscribers // 5):
                    for other in range(3):
                        group.create_task(self.subscribe(clients[(number + other) % len(clients)]))
                    group.create_task(asyncio.to_thread(self.subscribe_in_thread, threads))
                    group.create_task(self.subscribe_without_the_library(channel))
                await self.wait_until_started(targets[0], subscribers=subscribers)
                yield
                over = True

    async def publish(
        self, client: AsyncEventStreamClient, enough: Callable[[], bool], *, pause: float = 0.0, padding: int = 200
    ) -> None:
        """Publishes bursts of events until `enough()`, and ends the stream.

        Args:
            client: the client.
            enough: returns whether to end the stream.
            pause: the maximum of the random pauses between bursts, in seconds.
            padding: the maximum of the random padding of events, in bytes.

        """
        async with client.publish(self.id) as publisher:
            self.published.epoch = publisher.position.epoch
            while not enough():
                await self.send(publisher, random.randint(1, BURST), padding=padding)
                await asyncio.sleep(random.uniform(0, pause))
        self.published.acknowledge()

    async def send(self, publisher: AsyncEventPublisher, events: int, *, padding: int = 200) -> None:
        """Sends events and waits until they are acknowledged."""
        for made in self._events(events, padding):
            await publisher.send(made)
        await publisher.flush()
        self.published.acknowledge()

    async def publish_at_once(self, channel: grpc.aio.Channel, events: int) -> None:
        """Publishes the whole stream in one request, and records the epoch."""
        request = PublishRequest(stream_id=self.id, events=self._events(events, 200), end_of_stream=True)
        (response,) = [each async for each in OpenResponsesStreamServiceStub(channel).Publish(iter([request]))]
        self.published.acknowledge()
        self.published.epoch = response.epoch

    def publish_in_thread(
        self, client: EventStreamClient, enough: Callable[[], bool], *, pause: float = 0.0, padding: int = 200
    ) -> None:
        """Like `publish`, with the synchronous client."""
        with client.publish(self.id) as publisher:
            while not enough():
                for made in self._events(random.randint(1, BURST), padding):
                    publisher.send(made)
                publisher.flush()
                self.published.acknowledge()
                time.sleep(random.uniform(0, pause))
        self.published.acknowledge()

    async def subscribe(self, client: AsyncEventStreamClient, start_offset: int = 0) -> None:
        """Subscribes with the asynchronous client to the end of the stream."""
        received = self._subscriber(start_offset)
        async with client.subscribe(self.id, start_offset=start_offset) as subscription:
            async for made in subscription:
                received.receive(subscription.position, made)

    async def subscribe_in_pieces(self, client: AsyncEventStreamClient) -> None:
        """Like `subscribe`, but stops at random events and resumes at the saved position."""
        received = self._subscriber(0)
        position = None
        ended = False
        while not ended:
            wanted = random.randint(1, 500)
            async with client.subscribe(self.id, position=position) as subscription:
                ended = True
                async for made in subscription:
                    received.receive(subscription.position, made)
                    position = str(subscription.position)
                    wanted -= 1
                    if not wanted:
                        ended = False
                        break

    def subscribe_in_thread(self, client: EventStreamClient, start_offset: int = 0) -> None:
        """Like `subscribe`, with the synchronous client."""
        received = self._subscriber(start_offset)
        with client.subscribe(self.id, start_offset=start_offset) as subscription:
            for made in subscription:
                received.receive(subscription.position, made)

    async def subscribe_without_the_library(self, channel: grpc.aio.Channel) -> None:
        """Subscribes with plain gRPC calls without an epoch, and would follow a recreated stream with the same id."""
        received = self._subscriber(0)
        offset = 0
        while True:
            call = OpenResponsesStreamServiceStub(channel).Subscribe(
                SubscribeRequest(stream_id=self.id, start_offset=offset), wait_for_ready=True
            )
            try:
                async for response in call:
                    for place, made in enumerate(response.events, response.first_offset):
                        received.receive(Position(response.epoch, place + 1), made)
                    offset = response.first_offset + len(response.events)
                    if response.end_of_stream:
                        return
            except grpc.aio.AioRpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise
            finally:
                call.cancel()

    async def wait_until_started(self, address: str, *, subscribers: int) -> None:
        """Waits until events are acknowledged and every subscriber has received some, and records the epoch.

        Before its first reply, a client does not reconnect.
        """
        await wait_until(lambda: self.published.acknowledged > 0)
        await wait_until(lambda: sum(bool(each.digests) for each in self.received) == subscribers)
        async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
            await self.learn_epoch(channel)

    async def wait_for_progress(self, events: int = 1) -> None:
        """Waits until this number of further events is acknowledged, and received by every subscriber."""
        acknowledged = self.published.acknowledged + events
        received = [len(each.digests) + events for each in self.received]
        await wait_until(lambda: self.published.acknowledged >= acknowledged)
        await wait_until(lambda: all(len(each.digests) >= n for each, n in zip(self.received, received, strict=True)))

    async def learn_epoch(self, channel: grpc.aio.Channel) -> None:
        """Requests and records the epoch of the stream, which must contain events."""
        call = OpenResponsesStreamServiceStub(channel).Subscribe(SubscribeRequest(stream_id=self.id))
        response = await call.read()
        assert isinstance(response, SubscribeResponse)
        self.published.epoch = response.epoch
        call.cancel()

    def verdict(self) -> Verdict:
        return validate(self.published, self.received)

    def _subscriber(self, start_offset: int) -> Received:
        received = Received(start_offset)
        self.received.append(received)
        return received

    def _events(self, number: int, padding: int) -> Iterator[OpenResponsesStreamEvent]:
        """Yields the next events, and records each before it is sent."""
        first = len(self.published.digests)
        for offset in range(first, first + number):
            made = event(self.id, offset, padding=random.randrange(padding + 1))
            self.published.send(made)
            yield made


def event(stream_id: str, number: int, *, padding: int = 0) -> OpenResponsesStreamEvent:
    """Returns an event that differs from every other event of every stream."""
    made = OpenResponsesStreamEvent()
    message = made.image_generation_call_generating
    message.item_id, message.output_index, message.sequence_number = f"{stream_id}/{'x' * padding}", 0.5, number
    return made


def bursts(number: int) -> Callable[[], bool]:
    """Returns an `enough` for `Stream.publish` that ends it after this number of bursts."""
    sent = count()
    return lambda: next(sent) >= number


async def wait_until(condition: Callable[[], bool]) -> None:
    """Polls until the condition holds; the timeout of the test bounds the wait."""
    while not condition():  # noqa: ASYNC110 - threads change it, too
        await asyncio.sleep(0.01)


async def together(*awaitables: Awaitable[None]) -> None:
    """Runs all concurrently; the first exception cancels the others."""
    async with asyncio.TaskGroup() as group:
        for each in awaitables:
            group.create_task(_run(each))


async def _run(awaitable: Awaitable[None]) -> None:
    await awaitable
