"""Unmodified third-party clients against a gateway: they receive the events of the log from any start."""

import asyncio
import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from openresponses_grpc import AsyncEventStreamClient

from ...gateway.streams import Sent, parse
from ..languages import needs
from .conftest import Served
from .log import EXAMPLE, known_to_the_sdk, publish, values
from .proxy import cutting

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

AFTER = [None, 0, 42, len(EXAMPLE) - 2]


async def printed(node: Path, client: str, url: str, *arguments: object) -> list[Any]:
    """The JSON values that a client in Node prints."""
    process = await asyncio.create_subprocess_exec(
        "node",
        *("clients.mjs", client, f"{url}/v1", *map(str, arguments)),
        cwd=node,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    stdout, stderr = await process.communicate()
    assert (process.returncode, stderr) == (0, b""), stderr.decode()
    return [json.loads(line) for line in stdout.splitlines()]


def after(number: int | None) -> list[Any]:
    """The events of the sample after a sequence number."""
    return [event for event in values(EXAMPLE) if number is None or event["sequence_number"] > number]


@pytest.fixture
def openai() -> Any:
    """The module, which only `make interop` installs."""
    return importlib.import_module("openai")


@pytest.mark.parametrize("number", AFTER)
async def test_openai_python(number: int | None, openai: Any, served: Served) -> None:
    starting = {} if number is None else {"starting_after": number}
    async with openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key="viewer") as client:
        stream = await client.responses.retrieve("resp_1", stream=True, **starting)
        assert [event.to_dict(mode="json", warnings=False) async for event in stream] == after(number)
        response = await client.responses.retrieve("resp_1")
        assert response.to_dict(mode="json", warnings=False) == values(EXAMPLE)[-1]["response"]
        assert response.output_text.startswith("Low water")


async def test_openai_python_resumes_after_cuts(openai: Any, served: Served) -> None:
    received: list[Any] = []
    async with cutting(served.gateway.port, [5_000, 12_000, 20_000]) as (url, cuts):
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="viewer") as client:
            while not received or received[-1]["type"] != "response.completed":
                starting = {"starting_after": received[-1]["sequence_number"]} if received else {}
                stream = await client.responses.retrieve("resp_1", stream=True, **starting)
                try:
                    async for event in stream:
                        received += [event.to_dict(mode="json", warnings=False)]
                except openai.APIConnectionError:
                    continue
        assert len(cuts) == 3
    assert received == after(None)


async def test_openai_python_raises_errors(openai: Any, served: Served) -> None:
    async with (
        openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key="viewer") as client,
        AsyncEventStreamClient(served.server.address) as publisher_client,
    ):
        with pytest.raises(openai.NotFoundError) as caught:
            await client.responses.retrieve("none", stream=True)
        assert caught.value.code == "STREAM_NOT_FOUND"
        with pytest.raises(openai.BadRequestError) as refused:
            await client.responses.retrieve("resp_1", stream=True, starting_after=10**6)
        assert (refused.value.code, refused.value.param) == ("OUT_OF_RANGE", "starting_after")
        async with publisher_client.publish("failed") as publisher:
            await publisher.send(EXAMPLE[0])
            await publisher.fail("UPSTREAM_TIMEOUT", "no event for 30 seconds")
        stream = await client.responses.retrieve("failed", stream=True)
        *_, error = [event async for event in stream]
        assert isinstance(error, openai.types.responses.ResponseErrorEvent)
        assert (error.code, error.message) == ("UPSTREAM_TIMEOUT", "no event for 30 seconds")


@pytest.mark.parametrize("number", AFTER)
async def test_openai_node(number: int | None, node: Path, served: Served) -> None:
    starting = [] if number is None else [number]
    assert await printed(node, "openai", served.url, "resp_1", *starting) == after(number)


async def test_openai_node_retrieves_the_response(node: Path, served: Served) -> None:
    (response,) = await printed(node, "snapshot", served.url, "resp_1")
    assert response.items() >= values(EXAMPLE)[-1]["response"].items()


async def test_openrouter_sdk(node: Path, served: Served) -> None:
    known = known_to_the_sdk(EXAMPLE)
    assert len(known) > 100
    async with AsyncEventStreamClient(served.server.address) as client:
        await publish(client, "known", known)
    received = await printed(node, "openrouter", served.url, "known")
    sent = values(known, "camelCase")
    assert [event["sequenceNumber"] for event in received] == [event["sequenceNumber"] for event in sent]
    # The SDK drops unknown properties.
    assert all(is_part(event, whole) for event, whole in zip(received, sent, strict=True))


def is_part(part: Any, whole: Any) -> bool:
    """Whether a JSON value equals another one except for omitted properties and added ones that are `null`."""
    if isinstance(part, dict):
        return all(is_part(value, whole.get(name)) for name, value in part.items())
    if isinstance(part, list):
        return len(part) == len(whole) and all(map(is_part, part, whole))
    return bool(part == whole)


async def test_vercel_ai_sdk(node: Path, served: Served) -> None:
    parts = await printed(node, "vercel", served.url, "resp_1")
    response = values(EXAMPLE)[-1]["response"]
    (message,) = (item for item in response["output"] if item["type"] == "message")
    (call,) = (item for item in response["output"] if item["type"] == "function_call")
    text = "".join(part["text"] for part in parts if part["type"] == "text-delta")
    assert text == message["content"][0]["text"]
    reasoning = "".join(part["text"] for part in parts if part["type"] == "reasoning-delta")
    assert reasoning == response["output"][0]["summary"][0]["text"]
    arguments = [part["input"] for part in parts if part["type"] == "tool-call" and part["toolName"] == call["name"]]
    assert arguments == [json.loads(call["arguments"])]
    (finish,) = (part for part in parts if part["type"] == "finish")
    assert finish["totalUsage"]["outputTokens"] == response["usage"]["output_tokens"]


async def test_curl_resumes_with_last_event_id(served: Served) -> None:
    needs("curl")
    received: list[Sent] = []
    statuses = []
    async with cutting(served.gateway.port, [3_000, 1_000, 9_000, 12_345]) as (url, cuts):
        while not (received and received[-1].data == "[DONE]"):
            resume = ("--header", f"Last-Event-ID: {received[-1].id}") if received else ()
            process = await asyncio.create_subprocess_exec(
                *("curl", "--silent", "--no-buffer", *resume, f"{url}/v1/responses/resp_1?stream=true"),
                stdout=asyncio.subprocess.PIPE,
            )
            stdout, _ = await process.communicate()
            statuses.append(process.returncode)
            whole = re.match(r"(?s)(.*\n\n)?", stdout.decode(errors="replace"))
            assert whole is not None
            received += parse(whole[0])
        assert len(cuts) == 4
    assert statuses == [18] * 4 + [0]
    assert [sent.data for sent in received] == [*after(None), "[DONE]"]
