"""The asynchronous and the synchronous client against a real server."""

import asyncio
import itertools
from contextlib import aclosing
from typing import Any

import grpc
import pytest

from openresponses_grpc import (
    AsyncEventStreamClient,
    EventStreamClient,
    IncompleteEventError,
    InvalidProtobufError,
    StreamError,
    from_json,
    json_to_protobuf,
    to_json,
)
from openresponses_grpc.client._outbox import WINDOW_BYTES
from openresponses_grpc.codec._raw_messages import MAX_EVENT_BYTES, MAX_REQUEST_BYTES
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from ..faults.proxy import Proxy
from ..support.events import DOCUMENTED, event, number
from ..support.mixed_stream import MIXED

SERIALIZED = [json_to_protobuf(line) for line in MIXED["snake_case"]]
# Valid bytes that our libraries never write: fields in another order; only a field of a later version.
UNUSUAL = [b"\x7a\x07\x12\x02{}\x0a\x01x", b"\xf2\x7d\x01z"]
# A truncated field; a truncated double; a truncated tag.
INVALID = [b"\x0a\x05\x0a", b"\x0a\x02\x11\x00", b"\xff"]


async def collect(client: AsyncEventStreamClient, stream_id: str = "s", **arguments: Any) -> list[int]:
    """Reads a stream to its end; returns the numbers of its events."""
    return [number(made) async for made in client.subscribe(stream_id, **arguments)]


async def publish(client: AsyncEventStreamClient, numbers: range, stream_id: str = "s") -> None:
    async with client.publish(stream_id) as publisher:
        for n in numbers:
            await publisher.send(event(n))


async def test_documented_events_are_delivered_byte_for_byte(server: str) -> None:
    async with AsyncEventStreamClient(server) as client:
        async with client.publish("s") as publisher:
            for line in DOCUMENTED:
                await publisher.send(from_json(line))
        received = [to_json(made) async for made in client.subscribe("s")]
    assert received == list(DOCUMENTED)


async def test_messages_and_serialized_events_produce_the_same_log(server: str) -> None:
    messages = [OpenResponsesStreamEvent.FromString(data) for data in SERIALIZED]
    async with AsyncEventStreamClient(server) as client:
        for stream_id, events in (("messages", messages), ("bytes", SERIALIZED)):
            async with client.publish(stream_id) as publisher:
                for sent in events:
                    await publisher.send(sent)
            assert [data async for data in client.subscribe_serialized(stream_id)] == SERIALIZED
            assert [made async for made in client.subscribe(stream_id)] == messages


async def test_serialized_events_are_delivered_unchanged(server: str) -> None:
    async with AsyncEventStreamClient(server) as client:
        async with client.publish("s") as publisher:
            for data in UNUSUAL:
                await publisher.send(data)
        for offset in range(len(UNUSUAL)):
            received = [data async for data in client.subscribe_serialized("s", start_offset=offset)]
            assert received == UNUSUAL[offset:]


@pytest.mark.parametrize("invalid", INVALID)
async def test_invalid_bytes_are_rejected_and_the_publisher_continues(server: str, invalid: bytes) -> None:
    async with AsyncEventStreamClient(server) as client:
        async with client.publish("s") as publisher:
            await publisher.send(SERIALIZED[0])
            with pytest.raises(InvalidProtobufError, match="not an OpenResponsesStreamEvent"):
                await publisher.send(invalid)
            with pytest.raises(IncompleteEventError, match="no event is set"):
                await publisher.send(b"")
            others: tuple[Any, ...] = ("{}", {}, None)
            for other in others:
                with pytest.raises(TypeError, match="expected an OpenResponsesStreamEvent or its bytes"):
                    await publisher.send(other)
            await publisher.send(SERIALIZED[1])
        assert [data async for data in client.subscribe_serialized("s")] == SERIALIZED[:2]


def use_serialized_events(server: str) -> None:
    with EventStreamClient(server) as client:
        with client.publish("s") as publisher:
            for data in SERIALIZED:
                with pytest.raises(InvalidProtobufError):
                    publisher.send(data[:-1])
                publisher.send(data)
        assert list(client.subscribe_serialized("s")) == SERIALIZED
        assert [made.SerializeToString() for made in client.subscribe("s", start_offset=3)] == SERIALIZED[3:]


async def test_the_sync_client_with_serialized_events(server: str) -> None:
    await asyncio.to_thread(use_serialized_events, server)


async def test_50_subscribers_before_during_and_after_publishing(server: str) -> None:
    count = 2000
    async with AsyncEventStreamClient(server) as client:
        subscribers = [asyncio.create_task(collect(client)) for _ in range(25)]
        async with client.publish("s") as publisher:
            for n in range(count):
                if n == count // 2:
                    await publisher.flush()
                    subscribers += [asyncio.create_task(collect(client)) for _ in range(20)]
                await publisher.send(event(n))
        subscribers += [asyncio.create_task(collect(client)) for _ in range(5)]
        received = await asyncio.gather(*subscribers)
    assert len(received) == 50
    assert all(numbers == list(range(count)) for numbers in received)


@pytest.mark.parametrize("start_offset", [0, 1, 9, 10])
async def test_a_subscriber_starts_at_its_offset(server: str, start_offset: int) -> None:
    async with AsyncEventStreamClient(server) as client:
        await publish(client, range(10))
        assert await collect(client, start_offset=start_offset) == list(range(start_offset, 10))


async def test_a_negative_offset_is_rejected(server: str) -> None:
    async with AsyncEventStreamClient(server) as client:
        with pytest.raises(ValueError, match="start_offset"):
            await collect(client, start_offset=-1)


async def test_a_cancelled_subscriber_does_not_affect_others(server: str) -> None:
    async with AsyncEventStreamClient(server) as client, client.publish("s") as publisher:
        await publisher.send(event(0))
        stays = asyncio.create_task(collect(client))
        async with aclosing(client.subscribe("s")) as goes:
            async for _ in goes:
                break
        cancelled = asyncio.create_task(collect(client))
        await publisher.flush()
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        await publisher.send(event(1))
        await publisher.flush()
        publisher_ends = asyncio.create_task(publisher.__aexit__(None, None, None))
        assert await stays == [0, 1]
        await publisher_ends


async def test_changes_to_a_message_after_send_have_no_effect(server: str) -> None:
    made = event(0)
    async with AsyncEventStreamClient(server) as client:
        async with client.publish("s") as publisher:
            for n in range(3):
                made.image_generation_call_generating.sequence_number = n
                await publisher.send(made)
        assert await collect(client) == [0, 1, 2]


async def test_sends_beyond_the_window_wait_for_acknowledgements(server: str) -> None:
    padding = WINDOW_BYTES // 16
    async with AsyncEventStreamClient(server) as client:
        async with client.publish("s") as publisher:
            for n in range(64):
                await publisher.send(event(n, padding=padding))
        assert await collect(client) == list(range(64))


async def test_a_large_event_is_delivered(server: str) -> None:
    large = event(0, padding=MAX_REQUEST_BYTES - 1000)
    async with AsyncEventStreamClient(server) as client:
        async with client.publish("s") as publisher:
            await publisher.send(large)
        assert [made async for made in client.subscribe("s")] == [large]


async def test_unsendable_events_are_rejected_and_the_publisher_continues(server: str) -> None:
    async with AsyncEventStreamClient(server) as client:
        async with client.publish("s") as publisher:
            with pytest.raises(IncompleteEventError, match="no event is set"):
                await publisher.send(OpenResponsesStreamEvent())
            with pytest.raises(IncompleteEventError, match="the limit is"):
                await publisher.send(event(0, padding=MAX_EVENT_BYTES))
            with pytest.raises(TypeError):
                await publisher.send(event(0).image_generation_call_generating)  # type: ignore[arg-type]
            await publisher.send(event(1))
        assert await collect(client) == [1]


async def test_an_exception_in_the_body_leaves_the_stream_open_for_the_next_publisher(server: str) -> None:
    async with AsyncEventStreamClient(server) as client:
        with pytest.raises(ZeroDivisionError):
            async with client.publish("s") as publisher:
                await publisher.send(event(0))
                await publisher.flush()
                raise ZeroDivisionError
        await publish(client, range(1, 3))
        assert await collect(client) == [0, 1, 2]


async def test_permanent_errors_are_raised(server: str) -> None:
    async with AsyncEventStreamClient(server) as client:
        await publish(client, range(3))
        with pytest.raises(StreamError) as finished:
            await publish(client, range(3))
        assert (finished.value.code, finished.value.reason) == (
            grpc.StatusCode.FAILED_PRECONDITION,
            "STREAM_FINISHED",
        )
        with pytest.raises(StreamError) as beyond:
            await collect(client, start_offset=4)
        assert (beyond.value.reason, beyond.value.metadata) == ("OFFSET_OUT_OF_RANGE", {"next_offset": "3"})
        with pytest.raises(StreamError) as invalid:
            await collect(client, stream_id="")
        assert invalid.value.code == grpc.StatusCode.INVALID_ARGUMENT


async def test_an_unreachable_server_is_an_error_at_once(unused_tcp_port: int) -> None:
    address = f"127.0.0.1:{unused_tcp_port}"
    async with AsyncEventStreamClient(address) as client:
        for call in (publish(client, range(1)), collect(client)):
            with pytest.raises(StreamError) as caught:
                await call
            assert caught.value.code == grpc.StatusCode.UNAVAILABLE


async def test_a_server_with_a_high_latency_works(server: str) -> None:
    far = Proxy(int(server.rpartition(":")[2]), latency=0.3)
    async with far.running() as address, AsyncEventStreamClient(address) as client:
        await publish(client, range(3))
        assert await collect(client) == [0, 1, 2]


async def test_asyncio_timeouts_apply_to_subscriptions(server: str) -> None:
    async with AsyncEventStreamClient(server) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await collect(client, stream_id="never published")


def use_sync_client(server: str) -> None:
    with EventStreamClient(server) as client:
        with client.publish("s") as publisher:
            for n in range(1000):
                publisher.send(event(n))
            publisher.flush()
            first = list(itertools.islice(client.subscribe("s"), 10))
            publisher.send(event(1000, padding=WINDOW_BYTES + 1000))
            with pytest.raises(IncompleteEventError):
                publisher.send(OpenResponsesStreamEvent())
        assert [number(made) for made in first] == list(range(10))
        assert [number(made) for made in client.subscribe("s", start_offset=500)] == list(range(500, 1001))

        with pytest.raises(StreamError) as finished, client.publish("s") as publisher:
            publisher.send(event(0))
        assert finished.value.reason == "STREAM_FINISHED"
        with pytest.raises(RuntimeError, match="the publisher is closed"):
            publisher.send(event(0))

        with pytest.raises(ZeroDivisionError), client.publish("open") as publisher:
            publisher.send(event(0))
            publisher.flush()
            raise ZeroDivisionError
        with client.publish("open") as publisher:
            publisher.send(event(1))
        assert [number(made) for made in client.subscribe("open")] == [0, 1]


def use_timeouts(server: str) -> None:
    with EventStreamClient(server) as client:
        with pytest.raises(StreamError) as reading:
            list(client.subscribe("never published", timeout=0.05))
        with pytest.raises(StreamError) as publishing, client.publish("s", timeout=0.2) as publisher:
            for n in itertools.count():
                publisher.send(event(n))
                publisher.flush()
        assert reading.value.code == publishing.value.code == grpc.StatusCode.DEADLINE_EXCEEDED
        assert [number(made) for made in itertools.islice(client.subscribe("s", timeout=60), 1)] == [0]


async def test_the_sync_client_has_timeouts(server: str) -> None:
    await asyncio.to_thread(use_timeouts, server)


async def test_the_sync_client_publishes_and_subscribes(server: str) -> None:
    await asyncio.to_thread(use_sync_client, server)


def test_the_sync_client_without_a_server(unused_tcp_port: int) -> None:
    with EventStreamClient(f"127.0.0.1:{unused_tcp_port}") as client:
        with pytest.raises(StreamError, match="UNAVAILABLE"):
            list(client.subscribe("s"))
        with pytest.raises(StreamError, match="UNAVAILABLE"), client.publish("s"):
            pass
