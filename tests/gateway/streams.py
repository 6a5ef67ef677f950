"""Helpers that publish streams and read them through the gateway."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import httpx

from openresponses_grpc import AsyncEventStreamClient, json_to_protobuf

KEEP_ALIVE_SECONDS: Final = 0.1

ENDED: Final = ["[DONE]"]


class Sent(NamedTuple):
    """One server-sent event."""

    id: str | None
    event: str | None
    data: Any


def delta(number: int | None, text: str = "") -> dict[str, Any]:
    """Returns a text delta with or without a sequence number."""
    event = {"type": "response.output_text.delta", "item_id": "msg_1", "delta": text or f"text {number}"}
    return event if number is None else event | {"sequence_number": number}


def deltas(count: int) -> list[dict[str, Any]]:
    return [delta(number) for number in range(count)]


async def publish(
    client: AsyncEventStreamClient, stream_id: str, events: Iterable[dict[str, Any]], *, failure: str | None = None
) -> None:
    """Publishes a stream and ends it."""
    async with client.publish(stream_id) as publisher:
        for event in events:
            await publisher.send(json_to_protobuf(json.dumps(event)))
        if failure:
            await publisher.fail(failure, "the upstream is gone")


def parse(text: str) -> list[Sent]:
    """Parses server-sent events by the rules of the standard, without comments."""
    blocks = [
        [line for line in block.split("\n") if not line.startswith(":")]
        for block in text.removesuffix("\n\n").split("\n\n")
    ]
    return [_parsed(block) for block in blocks if block and block != [""]]


def _parsed(block: Sequence[str]) -> Sent:
    fields = dict(line.split(": ", 1) for line in block)
    assert len(fields) == len(block)
    data = fields["data"]
    return Sent(fields.get("id"), fields.get("event"), data if data == "[DONE]" else json.loads(data))


def path(stream_id: str, **parameters: object) -> str:
    """Returns the path of the events of a stream."""
    return f"/v1/responses/{stream_id}?{httpx.QueryParams({'stream': 'true', **parameters})}"  # type: ignore[dict-item]


async def read(http: httpx.AsyncClient, stream_id: str, *, position: str = "", **parameters: object) -> list[Sent]:
    """Reads a stream to its end."""
    response = await http.get(path(stream_id, **parameters), headers={"last-event-id": position} if position else {})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    return parse(response.text)


async def data(http: httpx.AsyncClient, stream_id: str, *, position: str = "", **parameters: object) -> list[Any]:
    """Reads a stream to its end; returns the data of its events."""
    return [sent.data for sent in await read(http, stream_id, position=position, **parameters)]


@asynccontextmanager
async def reading(
    http: httpx.AsyncClient, stream_id: str, *, position: str = "", **parameters: object
) -> AsyncIterator[AsyncIterator[Sent | str]]:
    """Yields an iterator over a stream as it arrives: events, and comments as text."""
    headers = {"last-event-id": position} if position else {}
    async with http.stream("GET", path(stream_id, **parameters), headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        yield _blocks(response)


async def _blocks(response: httpx.Response) -> AsyncIterator[Sent | str]:
    block: list[str] = []
    async for line in response.aiter_lines():
        if line:
            block.append(line)
        elif block:
            yield block[0] if block[0].startswith(":") else _parsed(block)
            block = []


async def events(blocks: AsyncIterator[Sent | str], count: int) -> list[Any]:
    """Returns the data of the next events."""
    found: list[Any] = []
    while len(found) < count:
        if isinstance(sent := await anext(blocks), Sent):
            found.append(sent.data)
    return found


def error_of(response: httpx.Response) -> tuple[int, str, str | None]:
    """Returns the status, code and parameter of an error, after checking the error format of the API."""
    body = response.json()
    assert body.keys() == {"error"}
    assert body["error"].keys() == {"message", "type", "code", "param"}
    assert body["error"]["message"]
    assert response.headers["content-type"] == "application/json"
    return response.status_code, body["error"]["code"], body["error"]["param"]


def lifecycle(name: str, **properties: Any) -> dict[str, Any]:
    """A lifecycle event: `response.` and its name."""
    return {
        "type": f"response.{name}",
        "response": {"id": "resp_1", "object": "response", "status": name, "output": [], **properties},
        "sequence_number": 0,
    }
