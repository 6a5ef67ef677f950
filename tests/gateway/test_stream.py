"""A stream over HTTP, from the beginning and resumed."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from openresponses_grpc import AsyncEventStreamClient, json_to_protobuf, protobuf_to_json
from openresponses_grpc.position import Position

from ..support.mixed_stream import MIXED
from .streams import ENDED, Sent, data, delta, deltas, events, parse, path, publish, read, reading

EXAMPLE = Path(__file__).parents[2] / "examples" / "response.ndjson"


@pytest.mark.parametrize("lines", [EXAMPLE.read_bytes().splitlines(), MIXED["camelCase"]], ids=["example", "mixed"])
async def test_every_event_is_sent_as_the_api_sends_it_followed_by_done(
    lines: list[bytes], client: AsyncEventStreamClient, http: httpx.AsyncClient
) -> None:
    serialized = [json_to_protobuf(line) for line in lines]
    async with client.publish("s") as publisher:
        for event in serialized:
            await publisher.send(event)
    response = await http.get(path("s"))
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert (response.headers["cache-control"], response.headers["x-accel-buffering"]) == ("no-store", "no")
    *sent, done = response.text.removesuffix("\n\n").split("\n\n")
    assert done == "data: [DONE]"
    texts = [protobuf_to_json(event, naming="snake_case").decode() for event in serialized]
    assert [block.partition("\ndata: ")[2] for block in sent] == texts
    for block, text in zip(sent, texts, strict=True):
        names = [line.removeprefix("event: ") for line in block.split("\n") if line.startswith("event: ")]
        type = json.loads(text).get("type")
        assert names == ([type] if isinstance(type, str) and type else [])


async def test_the_id_of_each_event_resumes_exactly_after_it(
    client: AsyncEventStreamClient, http: httpx.AsyncClient
) -> None:
    sent_events = deltas(40)
    await publish(client, "s", sent_events)
    sent = await read(http, "s")
    assert [entry.data for entry in sent] == sent_events + ENDED
    for number, entry in enumerate(sent[:-2], 1):
        assert entry.id is not None
        assert Position.parse(entry.id).offset == number
        assert await data(http, "s", position=entry.id) == sent_events[number:] + ENDED


async def test_resuming_after_the_last_event_of_a_complete_stream_is_204(
    client: AsyncEventStreamClient, http: httpx.AsyncClient
) -> None:
    await publish(client, "s", deltas(3))
    last = (await read(http, "s"))[-2].id
    response = await http.get(path("s"), headers={"last-event-id": str(last)})
    assert (response.status_code, response.content) == (204, b"")


NUMBERINGS: dict[str, list[int | None]] = {
    "offsets": list(range(12)),
    "from 1": list(range(1, 13)),
    "tens": list(range(0, 120, 10)),
    "some without a number": [0, None, 1, 2, None, None, 3, None, 4],
    "first without a number": [None, None, 5, 6],
    "repeated": [0, 0, 1, 1, 2],
}


@pytest.mark.parametrize("numbers", NUMBERINGS.values(), ids=NUMBERINGS)
async def test_starting_after_is_an_exclusive_sequence_number(
    numbers: list[int | None], client: AsyncEventStreamClient, http: httpx.AsyncClient
) -> None:
    sent = [delta(number, f"text {index}") for index, number in enumerate(numbers)]
    await publish(client, "s", sent)
    for after in sorted({number for number in numbers if number is not None}):
        first = numbers.index(after) + 1
        assert await data(http, "s", starting_after=after) == sent[first:] + ENDED
    assert await data(http, "s") == sent + ENDED


async def test_starting_after_an_unused_number_starts_at_the_next_greater_one(
    client: AsyncEventStreamClient, http: httpx.AsyncClient
) -> None:
    sent = [delta(10), delta(None, "a"), delta(20), delta(None, "b"), delta(30)]
    await publish(client, "s", sent)
    for after, first in ((0, 0), (15, 1), (29, 3)):
        assert await data(http, "s", starting_after=after) == sent[first:] + ENDED


async def test_a_number_deep_in_a_long_stream_is_found(client: AsyncEventStreamClient, http: httpx.AsyncClient) -> None:
    # Each stream takes several responses; its numbers are offsets, offsets up to a gap, or neither.
    padding = "x" * 1000
    for stream_id, numbers in (
        ("offsets", list(range(2000))),
        ("late gap", [*range(1000), *range(3000, 4000)]),
        ("odd", list(range(1, 4001, 2))),
    ):
        sent = [delta(number, padding) for number in numbers]
        await publish(client, stream_id, sent)
        for offset in (1, 999, 1000, 1500, 1998):
            after = numbers[offset]
            found = await data(http, stream_id, starting_after=after)
            assert [event["sequence_number"] for event in found[:-1]] == numbers[offset + 1 :], (stream_id, after)


async def test_last_event_id_takes_precedence_over_starting_after(
    client: AsyncEventStreamClient, http: httpx.AsyncClient
) -> None:
    sent = deltas(5)
    await publish(client, "s", sent)
    position = (await read(http, "s"))[2].id
    assert await data(http, "s", position=str(position), starting_after=0) == sent[3:] + ENDED


async def test_events_are_sent_as_they_are_published(client: AsyncEventStreamClient, http: httpx.AsyncClient) -> None:
    sent = deltas(6)
    async with client.publish("s") as publisher:
        await publisher.send(json_to_protobuf(json.dumps(sent[0])))
        await publisher.flush()
        async with reading(http, "s") as early, reading(http, "s", starting_after=0) as late:
            assert await events(early, 1) == sent[:1]
            for event in sent[1:]:
                await publisher.send(json_to_protobuf(json.dumps(event)))
                await publisher.flush()
                assert await events(early, 1) == await events(late, 1) == [event]


async def test_an_idle_stream_sends_keep_alive_comments(
    client: AsyncEventStreamClient, http: httpx.AsyncClient
) -> None:
    async with client.publish("s") as publisher:
        await publisher.flush()
        async with reading(http, "s") as blocks:
            assert [await anext(blocks) for _ in range(3)] == [": keep-alive"] * 3
            await publisher.send(json_to_protobuf(json.dumps(delta(0))))
            await publisher.flush()
            assert await events(blocks, 1) == [delta(0)]


async def test_stream_ids_are_url_decoded(client: AsyncEventStreamClient, http: httpx.AsyncClient) -> None:
    for stream_id, quoted in (("a/b", "a%2Fb"), ("é ?", "%C3%A9%20%3F"), ("a%b", "a%25b")):
        await publish(client, stream_id, deltas(1))
        assert await data(http, quoted) == deltas(1) + ENDED


async def test_a_head_request_has_the_status_and_headers_of_a_get(
    client: AsyncEventStreamClient, http: httpx.AsyncClient
) -> None:
    await publish(client, "s", deltas(1))
    response = await http.head(path("s"))
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"].startswith("text/event-stream")
    assert (await http.head(path("none"))).status_code == 404


@pytest.mark.parametrize("size", [1, 63 << 10, 1 << 20])
async def test_large_events_are_delivered_whole(
    size: int, client: AsyncEventStreamClient, http: httpx.AsyncClient
) -> None:
    sent: list[dict[str, Any]] = [delta(number, "x" * size) for number in range(5)]
    await publish(client, "s", sent)
    assert await data(http, "s") == sent + ENDED


def test_the_sse_parser_of_the_tests() -> None:
    assert parse(': c\n\nid: 1\nevent: e\ndata: {"a": 1}\n\ndata: [DONE]\n\n') == [
        Sent("1", "e", {"a": 1}),
        Sent(None, None, "[DONE]"),
    ]
