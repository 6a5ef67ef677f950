"""The programs of examples/ in each language: their output, and recovery from a killed server."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest

from openresponses_grpc import AsyncEventStreamClient, json_to_protobuf, protobuf_to_json
from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.store import MemoryStore, StoreLimits

from ..faults.processes import server as server_over
from ..support.events import event
from .events import COUNT, EVENTS, encoded, printed
from .languages import EXAMPLES, Language

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]  # the first test of a language builds its example

KILLED_AFTER = 2_500
TESTS = Path(__file__).parents[1]

VECTORS = {path.stem: json.loads(path.read_text()) for path in sorted((TESTS / "vectors").glob("*.json"))}
SAMPLE = [json.loads(line) for line in (EXAMPLES / "response.ndjson").read_text().splitlines()]


def exact(serialized: bytes) -> object:
    """The JSON of an event with the tokens of its numbers."""
    return json.loads(protobuf_to_json(serialized), parse_float=str, parse_int=str)


async def test_vectors_decode_and_encode_to_the_same_bytes(language: Language, tally: Counter[str]) -> None:
    async with language.started("vectors", TESTS / "vectors") as program:
        stdout, stderr = await program.communicate()
        assert program.returncode == 0, stderr
    rows = {row.pop("name"): row for row in map(json.loads, stdout.splitlines())}
    assert rows.keys() == VECTORS.keys()
    for name, row in rows.items():
        vector = VECTORS[name]
        assert row.keys() == set(language.vectors)
        assert row["hex"] == vector["hex"], name
        assert row.get("text", vector["hex"]) == vector["hex"], name
        if "json" in row:
            assert json.loads(row["json"]) == json.loads(vector.get("camelCaseWritten", vector["camelCase"])), name
        if "read" in row:
            assert exact(bytes.fromhex(row["read"])) == exact(bytes.fromhex(vector["hex"])), name
        tally["vectors"] += 1


async def test_subscriber_streams_text_and_shows_tool_calls_and_usage(language: Language, server: str) -> None:
    async with language.started("subscribe", server, "s") as subscriber:
        assert subscriber.stdout is not None
        stdout = b""
        async with AsyncEventStreamClient(server) as client, client.publish("s") as publisher:
            for sent in SAMPLE:
                await publisher.send(json_to_protobuf(json.dumps(sent)))
                if sent["type"] == "response.output_text.delta":
                    stdout += await subscriber.stdout.readuntil(sent["delta"].encode())
        rest, stderr = await subscriber.communicate()
        assert subscriber.returncode == 0, stderr
    response = SAMPLE[-1]["response"]
    texts = [part["text"] for item in response["output"] if item["type"] == "message" for part in item["content"]]
    calls = [item for item in response["output"] if item["type"] == "function_call"]
    assert texts
    assert calls
    shown = (stdout + rest).decode()
    for text in texts:
        assert shown.count(text) == 1
    for call in calls:
        assert call["name"] in shown
        assert call["arguments"] in shown
    assert str(response["usage"]["inputTokens"]) in shown
    assert str(response["usage"]["outputTokens"]) in shown


async def test_subscriber_prints_each_event_once_when_server_is_killed(
    language: Language, tmp_path: Path, tally: Counter[str]
) -> None:
    async with (
        server_over(f"sqlite:{tmp_path / 'store.db'}") as server,
        language.started("subscribe", "--events", server.address, "s") as subscriber,
        AsyncEventStreamClient(server.address) as client,
    ):
        events = printed(language, subscriber)
        async with client.publish("s") as publisher:
            for sent in EVENTS[: COUNT // 2]:
                await publisher.send(sent)
            received = [await anext(events) for _ in range(KILLED_AFTER)]
            await server.kill()
            await server.start()
            for sent in EVENTS[COUNT // 2 :]:
                await publisher.send(sent)
        received += [event async for event in events]
        _, stderr = await subscriber.communicate()
        assert (subscriber.returncode, b"retrying after error" in stderr) == (0, True)
        assert received == EVENTS
    ended = [line for line in server.output.splitlines() if "call ended: method 'Subscribe'" in line]
    assert ended
    assert all("code 'OK'" in line for line in ended)
    tally["subscribed"] += COUNT


async def test_publisher_stores_each_event_once_when_server_is_killed(
    language: Language, tmp_path: Path, tally: Counter[str]
) -> None:
    async with (
        server_over(f"sqlite:{tmp_path / 'store.db'}") as server,
        AsyncEventStreamClient(server.address) as client,
        language.started("publish", server.address, "s") as publisher,
    ):
        assert publisher.stdin is not None
        publisher.stdin.write(encoded(language, EVENTS[: COUNT // 2]))
        received = []
        async for event in client.subscribe("s"):
            received.append(event.SerializeToString())
            if len(received) == KILLED_AFTER:
                await server.kill()
                publisher.stdin.write(encoded(language, EVENTS[COUNT // 2 :]))
                publisher.stdin.write_eof()
                await server.start()
        _, stderr = await publisher.communicate()
        assert (publisher.returncode, b"retrying after error" in stderr) == (0, True)
        assert received == EVENTS
    tally["published"] += COUNT


async def test_publisher_and_subscriber_exchange_events(language: Language, server: str) -> None:
    async with (
        language.started("subscribe", "--events", server, "s") as subscriber,
        language.started("publish", server, "s") as publisher,
    ):
        sent = encoded(language, EVENTS[:100])
        (stdout, _), _ = await asyncio.gather(subscriber.communicate(), publisher.communicate(sent))
        assert (stdout, subscriber.returncode, publisher.returncode) == (sent, 0, 0)


async def test_publisher_retries_when_server_is_full(language: Language) -> None:
    big = event(1, padding=200_000)
    full = StreamService(MemoryStore(StoreLimits(max_bytes=1 << 20, max_stream_bytes=1 << 20)))
    async with (
        running_server(full, "127.0.0.1:0") as server,
        AsyncEventStreamClient(server) as client,
        language.started("publish", server, "s") as publisher,
    ):
        assert publisher.stdin is not None
        assert publisher.stderr is not None
        async with client.publish("other") as other:
            await other.send(event(0, padding=900_000))
            await other.flush()
            publisher.stdin.write(encoded(language, [big.SerializeToString()]))
            publisher.stdin.write_eof()
            assert b"retrying after error" in await publisher.stderr.readline()
        assert await publisher.wait() == 0  # the other stream has ended, and its eviction freed space
        assert [published async for published in client.subscribe("s")] == [big]
