"""Positions, failures and stream management, with both clients against a real server."""

import asyncio
from typing import Any

import grpc
import pytest

from openresponses_grpc import (
    AsyncEventStreamClient,
    EventStreamClient,
    Position,
    StreamError,
    StreamFailedError,
)
from openresponses_grpc.v1.stream_service_pb2 import StreamState

from ..support.events import event, number


async def publish(client: AsyncEventStreamClient, count: int, stream_id: str = "s") -> None:
    async with client.publish(stream_id) as publisher:
        for n in range(count):
            await publisher.send(event(n))


async def collect(client: AsyncEventStreamClient, stream_id: str = "s", **arguments: Any) -> list[int]:
    return [number(made) async for made in client.subscribe(stream_id, **arguments)]


async def test_every_position_resumes_after_its_event(server: str) -> None:
    async with AsyncEventStreamClient(server) as client:
        await publish(client, 5)
        subscription = client.subscribe("s")
        async for made in subscription:
            position = subscription.position
            assert position is not None
            for saved in (position, str(position)):
                async with AsyncEventStreamClient(server) as other:
                    assert await collect(other, position=saved) == list(range(number(made) + 1, 5))


async def test_a_publisher_reports_its_position_and_the_ending(server: str) -> None:
    async with AsyncEventStreamClient(server) as client:
        with pytest.raises(ZeroDivisionError):
            async with client.publish("s") as publisher:
                assert (publisher.position.offset, publisher.position.checksum) == (0, 0)
                await publisher.send(event(0))
                await publisher.flush()
                first = publisher.position
                assert (first.offset, first.checked_offset) == (1, 1)
                raise ZeroDivisionError
        async with client.publish("s") as publisher:
            assert publisher.position == first
            assert not publisher.end_of_stream
            await publisher.send(event(1))
        assert (publisher.position.offset, publisher.end_of_stream, publisher.failure) == (2, True, None)
        async with client.publish("s") as again:
            assert (again.position, again.end_of_stream, again.failure) == (publisher.position, True, None)
        assert await collect(client, position=first) == [1]


@pytest.mark.parametrize(
    "change, reason",
    [
        (lambda position: position._replace(checksum=position.checksum ^ 1), "STREAM_DIVERGED"),
        (lambda position: position._replace(checked_offset=9), "STREAM_DIVERGED"),
        (lambda position: position._replace(epoch=position.epoch + 1), "EPOCH_MISMATCH"),
    ],
)
async def test_a_position_of_another_log_is_refused(server: str, change: Any, reason: str) -> None:
    async with AsyncEventStreamClient(server) as client:
        await publish(client, 2)
        subscription = client.subscribe("s")
        await anext(subscription)
        with pytest.raises(StreamError, match="start over at offset 0") as caught:
            await collect(client, position=change(subscription.position))
        assert caught.value.reason == reason


async def test_with_must_exist_a_missing_stream_is_an_error(server: str) -> None:
    async with AsyncEventStreamClient(server) as client:
        with pytest.raises(
            StreamError, match=r"stream 's' at 127.0.0.1:[0-9]*, offset 0: .*; check the stream"
        ) as caught:
            await collect(client, must_exist=True)
        assert (caught.value.code, caught.value.reason) == (grpc.StatusCode.NOT_FOUND, "STREAM_NOT_FOUND")
        assert (caught.value.stream_id, caught.value.server) == ("s", server)
        await publish(client, 1)
        assert await collect(client, must_exist=True) == [0]


async def test_a_failed_stream_raises_after_all_its_events(server: str) -> None:
    async with AsyncEventStreamClient(server) as client:
        async with client.publish("s") as publisher:
            await publisher.send(event(0))
            await publisher.fail("UPSTREAM_TIMEOUT", "no event for 60 seconds")
            assert (publisher.end_of_stream, publisher.position.offset) == (True, 1)
        subscription, received = client.subscribe("s"), []
        for _ in range(2):
            with pytest.raises(StreamFailedError, match="failed at offset 1 with UPSTREAM_TIMEOUT: no event") as caught:
                while True:
                    received.append(number(await anext(subscription)))
        assert received == [0]
        assert (caught.value.reason, caught.value.message) == ("UPSTREAM_TIMEOUT", "no event for 60 seconds")
        async with client.publish("s") as publisher:
            assert publisher.failure is not None
            assert publisher.failure.reason == "UPSTREAM_TIMEOUT"
            with pytest.raises(StreamError, match="publish to another stream id, or delete") as finished:
                await publisher.send(event(1))
            assert finished.value.reason == "STREAM_FINISHED"
            await publisher.fail("UPSTREAM_TIMEOUT", "no event for 60 seconds")
        with pytest.raises(StreamError, match="the stream has failed at offset 1") as other:
            async with client.publish("s") as publisher:
                await publisher.fail("ANOTHER")
        assert other.value.reason == "STREAM_FINISHED"


@pytest.mark.parametrize(
    "reason, message", [("", ""), ("x" * 65, ""), ("\u00e9" * 33, ""), ("R", "x" * 4097), ("R", "\u00e9" * 2049)]
)
async def test_the_reason_and_message_of_a_failure_are_limited(server: str, reason: str, message: str) -> None:
    async with AsyncEventStreamClient(server) as client:
        async with client.publish("s") as publisher:
            with pytest.raises(ValueError, match="of a failure"):
                await publisher.fail(reason, message)
        assert await collect(client) == []


async def test_streams_can_be_described_listed_and_deleted(server: str) -> None:
    async with AsyncEventStreamClient(server) as client:
        ids = {f"s{n}" for n in range(250)}  # more than two pages
        for stream_id in ids:
            await publish(client, 1, stream_id)
        assert {info.stream_id async for info in client.list_streams()} == ids
        info = await client.get_stream("s7")
        assert (info.stream_id, info.next_offset, info.state) == ("s7", 1, StreamState.STREAM_STATE_COMPLETE)
        with pytest.raises(StreamError) as mismatch:
            await client.delete_stream("s7", epoch=info.epoch + 1)
        assert mismatch.value.reason == "EPOCH_MISMATCH"
        await client.delete_stream("s7", epoch=info.epoch)
        for missing in (client.get_stream("s7"), client.delete_stream("s7")):
            with pytest.raises(StreamError, match="stream 's7'") as caught:
                await missing
            assert caught.value.code == grpc.StatusCode.NOT_FOUND
        await client.delete_stream("s7", allow_missing=True)
        assert {info.stream_id async for info in client.list_streams()} == ids - {"s7"}


def use_sync_client(server: str) -> None:
    with EventStreamClient(server) as client:
        with client.publish("s") as publisher:
            assert publisher.position.offset == 0
            for n in range(3):
                publisher.send(event(n))
            publisher.flush()
            assert publisher.position.offset == 3
            with client.subscribe("s") as subscription:
                next(subscription)
            with pytest.raises(RuntimeError, match="the subscription is closed"):
                next(subscription)
            position = subscription.position
            assert isinstance(position, Position)
            with pytest.raises(ValueError, match="reason of a failure"):
                publisher.fail("")
            publisher.fail("R", "m")
            with pytest.raises(RuntimeError, match="the publisher is closed"):
                publisher.send(event(3))
        resumed = client.subscribe("s", position=str(position))
        assert [number(next(resumed)) for _ in range(2)] == [1, 2]
        with pytest.raises(StreamFailedError, match="failed at offset 3 with R: m"):
            next(resumed)
        assert resumed.position is not None
        assert resumed.position.offset == 3
        with client.publish("s") as again:
            assert again.end_of_stream
            assert again.failure is not None
        assert [info.stream_id for info in client.list_streams()] == ["s"]
        assert client.get_stream("s").state == StreamState.STREAM_STATE_FAILED
        client.delete_stream("s")
        with pytest.raises(StreamError, match="NOT_FOUND"):
            next(client.subscribe_serialized("s", must_exist=True))


async def test_the_sync_client_supports_positions_failures_and_management(server: str) -> None:
    await asyncio.to_thread(use_sync_client, server)
