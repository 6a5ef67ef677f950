"""A subscription that reads its stream to the end waits for the status of its call."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from openresponses_grpc import AsyncEventStreamClient, EventStreamClient
from openresponses_grpc.server._calls import Call

from ..support.events import event, number

COUNT = 200


async def receive_numbers(server: str, received: list[int]) -> None:
    async with AsyncEventStreamClient(server) as client, client.subscribe("s") as subscription:
        async for made in subscription:
            received.append(number(made))  # noqa: PERF401 - the test reads it meanwhile


async def receive_numbers_in_thread(server: str, received: list[int]) -> None:
    def receive() -> None:
        with EventStreamClient(server) as client, client.subscribe("s") as subscription:
            for made in subscription:
                received.append(number(made))  # noqa: PERF401 - the test reads it meanwhile

    await asyncio.to_thread(receive)


@pytest.mark.parametrize("receive", [receive_numbers, receive_numbers_in_thread])
async def test_a_subscription_ends_with_the_status_of_its_call(
    server: str,
    receive: Callable[[str, list[int]], Awaitable[None]],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """If the client cancelled the call while the server sends the end, the server would record a cancelled call."""
    caplog.set_level(logging.INFO)
    write, released = Call.write, asyncio.Event()

    async def held_write(call: Call, data: bytes) -> int:
        size = await write(call, data)
        if call.method == "Subscribe":
            await released.wait()
        return size

    monkeypatch.setattr(Call, "write", held_write)
    received: list[int] = []
    async with AsyncEventStreamClient(server) as client:
        async with client.publish("s") as publisher:
            for n in range(COUNT):
                await publisher.send(event(n))
        receiving = asyncio.ensure_future(receive(server, received))
        while len(received) < COUNT:
            await client.get_stream("s")
        await client.get_stream("s")
        assert not receiving.done()
        released.set()
        await receiving
    assert received == list(range(COUNT))
    ended = [vars(record) for record in caplog.records if record.getMessage().startswith("call ended")]
    assert [fields["code"] for fields in ended if fields["method"] == "Subscribe"] == ["OK"]
