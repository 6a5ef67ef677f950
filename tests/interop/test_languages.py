"""The programs of examples/ in each language, against servers that are killed while they are at work."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest

from openresponses.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc import EventStreamClient, from_json, to_json
from openresponses_grpc.server import running_server
from openresponses_grpc.service import StreamService
from openresponses_grpc.store import MemoryStore, StoreLimits

from ..events import event
from ..faults.processes import server as server_over
from ..test_vectors import VECTORS, binary, written
from .languages import Language

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]  # the first test of a language builds its example

COUNT = 10_000
KILLED_AFTER = 2_500

SHAPES = [
    '{"type":"response.image_generation_call.generating","itemId":"ig_1","outputIndex":7977.54,"sequenceNumber":%d}',
    '{"type":"response.image_generation_call.completed","itemId":"","outputIndex":0,"sequenceNumber":%d}',
    r'{"type":"response.image_generation_call.in_progress","itemId":"\"\\\b\f\n\r\t\u0001/é😀","outputIndex":1e+21,'
    '"sequenceNumber":%d}',
    '{"type":"response.image_generation_call.partial_image","itemId":"ig_1","outputIndex":5e-324,"sequenceNumber":%d,'
    '"partialImageB64":"aGk=","partialImageIndex":0,"size":"1024x1024","tags":[null,{"deep":[12345678901234567890]}]}',
    '{"type":"response.output_text.delta", "delta":"as it is", "exact":12345678901234567890, "sequence_number":%d}',
    '{"type":"response.image_generation_call.generating","itemId":"no number fits","outputIndex":"%d"}',
]
EVENTS = [(SHAPES[number % len(SHAPES)] % number).encode() for number in range(COUNT)]


def canonical(text: str) -> bytes:
    """A message, in hexadecimal, with its fields in order: Go writes those of a oneof last."""
    return OpenResponsesStreamEvent.FromString(bytes.fromhex(text)).SerializeToString()


def same_event(one: bytes, other: bytes) -> bool:
    """Whether two messages are equal, digit for digit, but for white space and escapes in `extra_json`."""
    messages = [OpenResponsesStreamEvent.FromString(binary) for binary in (one, other)]
    extras = [json.loads(message.extra_json or "{}", parse_float=str, parse_int=str) for message in messages]
    for message in messages:
        message.ClearField("extra_json")
    return extras[0] == extras[1] and messages[0].SerializeToString() == messages[1].SerializeToString()


def letters(text: bytes) -> str:
    """A text without what languages put into the name of a status in their own way."""
    return "".join(filter(str.isalpha, text.decode())).lower()


async def test_every_vector_is_decoded_encoded_printed_and_read(language: Language, tally: Counter[str]) -> None:
    async with language.started("vectors", Path(__file__).parents[1] / "vectors") as program:
        stdout, stderr = await program.communicate()
        assert program.returncode == 0, stderr
    printed = [json.loads(line) for line in stdout.splitlines()]
    assert sorted(row["name"] for row in printed) == sorted(VECTORS)
    for row in printed:
        name = row["name"]
        assert canonical(row["hex"]) == binary(name), name
        assert row["json"].encode() == written(name, "camelCase"), name
        assert same_event(canonical(row["read"]), binary(name)), name
        tally["vectors"] += 1


async def test_a_subscriber_prints_each_event_once_to_the_byte_though_the_server_is_killed(
    language: Language, tmp_path: Path, tally: Counter[str]
) -> None:
    async with (
        server_over(f"sqlite:{tmp_path / 'store.db'}") as server,
        language.started("subscribe", server.address, "s") as subscriber,
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
    tally["subscribed"] += COUNT


async def test_a_publisher_stores_each_event_once_to_the_byte_though_the_server_is_killed(
    language: Language, tmp_path: Path, tally: Counter[str]
) -> None:
    async with (
        server_over(f"sqlite:{tmp_path / 'store.db'}") as server,
        EventStreamClient(server.address) as client,
        language.started("publish", server.address, "s") as publisher,
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
    tally["published"] += COUNT


async def test_events_go_from_one_program_to_the_other(language: Language, server: str) -> None:
    async with (
        language.started("subscribe", server, "s") as subscriber,
        language.started("publish", server, "s") as publisher,
    ):
        lines = b"\n".join(EVENTS[:100]) + b"\n"
        (stdout, _), _ = await asyncio.gather(subscriber.communicate(), publisher.communicate(lines))
        assert (stdout, subscriber.returncode, publisher.returncode) == (lines, 0, 0)


async def test_a_status_that_trying_again_does_not_heal_ends_a_publisher(language: Language, server: str) -> None:
    async with EventStreamClient(server) as client, client.publish("s"):
        pass
    async with language.started("publish", server, "s") as publisher:
        _, stderr = await publisher.communicate(EVENTS[0])
        assert (publisher.returncode, "failedprecondition" in letters(stderr)) == (1, True)


async def test_a_status_that_trying_again_does_not_heal_ends_a_subscriber(language: Language) -> None:
    async with (
        server_over("memory:") as server,
        language.started("subscribe", server.address, "s") as subscriber,
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
        assert (subscriber.returncode, "notfound" in letters(stderr)) == (1, True)


async def test_a_server_that_asks_to_try_again_is_asked_again(language: Language) -> None:
    big = event(1, padding=200_000)
    full = StreamService(MemoryStore(StoreLimits(max_bytes=1 << 20, max_stream_bytes=1 << 20)))
    async with (
        running_server(full, "127.0.0.1:0") as server,
        EventStreamClient(server) as client,
        language.started("publish", server, "s") as publisher,
    ):
        assert publisher.stdin is not None
        assert publisher.stderr is not None
        async with client.publish("other") as other:
            await other.send(event(0, padding=900_000))
            await other.flush()
            publisher.stdin.write(to_json(big))
            publisher.stdin.write_eof()
            assert b"trying again after" in await publisher.stderr.readline()
        assert await publisher.wait() == 0  # the other stream has ended, and made room
        assert [published async for published in client.subscribe("s")] == [big]
