"""The programs of examples/typescript, against servers that are killed while they are at work."""

import asyncio
from pathlib import Path

import pytest

from openresponses_grpc import EventStreamClient, from_json, to_json

from ..faults.processes import server as server_over
from . import typescript

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]  # npm fetches what the example needs

COUNT = 10_000
KILLED_AFTER = 2_500

SHAPES = [
    '{"type":"response.image_generation_call.generating","itemId":"ig_1","outputIndex":7977.54,"sequenceNumber":%d}',
    '{"type":"response.image_generation_call.completed","itemId":"","outputIndex":0,"sequenceNumber":%d}',
    r'{"type":"response.image_generation_call.in_progress","itemId":"\"\\\b\f\n\r\t\u0001/é😀","outputIndex":1e+21,'
    '"sequenceNumber":%d}',
    '{"type":"response.image_generation_call.partial_image","itemId":"ig_1","outputIndex":5e-324,"sequenceNumber":%d,'
    '"partialImageB64":"aGk=","partialImageIndex":0,"size":"1024x1024","tags":[null,{"deep":[]}]}',
    '{"type":"response.output_text.delta", "delta":"as it is", "exact":12345678901234567890, "sequence_number":%d}',
    '{"type":"response.image_generation_call.generating","itemId":"no number fits","outputIndex":"%d"}',
]
EVENTS = [(SHAPES[number % len(SHAPES)] % number).encode() for number in range(COUNT)]


@pytest.fixture(scope="module", autouse=True)
def programs() -> None:
    typescript.build()


async def test_a_subscriber_prints_each_event_once_to_the_byte_though_the_server_is_killed(tmp_path: Path) -> None:
    async with (
        server_over(f"sqlite:{tmp_path / 'store.db'}") as server,
        typescript.started("subscribe.js", server.address, "s") as subscriber,
        EventStreamClient(server.address) as client,
    ):
        assert subscriber.stdout is not None
        async with client.publish("s") as publisher:
            for sent in EVENTS[: COUNT // 2]:
                await publisher.send(from_json(sent))
            received = [await subscriber.stdout.readline() for _ in range(KILLED_AFTER)]
            await server.kill()
            await server.start()
            for sent in EVENTS[COUNT // 2 :]:
                await publisher.send(from_json(sent))
        rest, stderr = await subscriber.communicate()
        assert b"trying again after" in stderr
        assert [line.rstrip(b"\n") for line in received] + rest.splitlines() == EVENTS


async def test_a_publisher_stores_each_event_once_to_the_byte_though_the_server_is_killed(tmp_path: Path) -> None:
    async with (
        server_over(f"sqlite:{tmp_path / 'store.db'}") as server,
        EventStreamClient(server.address) as client,
        typescript.started("publish.js", server.address, "s") as publisher,
    ):
        assert publisher.stdin is not None
        publisher.stdin.write(b"\n".join(EVENTS[: COUNT // 2]) + b"\n")
        received = []
        async for event in client.subscribe("s"):
            received.append(to_json(event))
            if len(received) == KILLED_AFTER:
                await server.kill()
                publisher.stdin.write(b"\n".join(EVENTS[COUNT // 2 :]) + b"\n")
                publisher.stdin.write_eof()
                await server.start()
        _, stderr = await publisher.communicate()
        assert (publisher.returncode, b"trying again after" in stderr) == (0, True)
        assert received == EVENTS


async def test_events_go_from_one_program_to_the_other(server: str) -> None:
    async with (
        typescript.started("subscribe.js", server, "s") as subscriber,
        typescript.started("publish.js", server, "s") as publisher,
    ):
        lines = b"\n".join(EVENTS[:100]) + b"\n"
        (stdout, _), _ = await asyncio.gather(subscriber.communicate(), publisher.communicate(lines))
        assert (stdout, subscriber.returncode, publisher.returncode) == (lines, 0, 0)


async def test_a_status_that_trying_again_does_not_heal_ends_a_publisher(server: str) -> None:
    async with EventStreamClient(server) as client, client.publish("s"):
        pass
    async with typescript.started("publish.js", server, "s") as publisher:
        _, stderr = await publisher.communicate(EVENTS[0])
        assert (publisher.returncode, b"[failed_precondition]" in stderr) == (1, True)


async def test_a_status_that_trying_again_does_not_heal_ends_a_subscriber() -> None:
    async with (
        server_over("memory:") as server,
        typescript.started("subscribe.js", server.address, "s") as subscriber,
        EventStreamClient(server.address) as client,
    ):
        assert subscriber.stdout is not None
        with pytest.raises(RuntimeError, match="left open"):
            async with client.publish("s") as publisher:
                await publisher.send(from_json(EVENTS[0]))
                assert await subscriber.stdout.readline() == EVENTS[0] + b"\n"
                raise RuntimeError("left open")
        # What is in memory ends with the server, and the stream that was resumed must not be taken for another.
        await server.kill()
        await server.start()
        _, stderr = await subscriber.communicate()
        assert (subscriber.returncode, b"[not_found]" in stderr) == (1, True)
