"""EventSource in a browser and the page of examples/browser, with dropped connections and a killed server."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from openresponses_grpc import AsyncEventStreamClient
from openresponses_grpc.client import AsyncEventPublisher

from ...faults.processes import Restartable, free_port
from ...faults.processes import gateway as gateway_before
from ...faults.processes import server as server_over
from ..languages import EXAMPLES
from .browser import Browser
from .log import EXAMPLE, values
from .proxy import cutting

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]

CUTS = 10


@asynccontextmanager
async def served(tmp_path: Path) -> AsyncIterator[tuple[Restartable, Restartable, str]]:
    """A server, a gateway, and the origin of the page."""
    port = free_port()
    command = (
        sys.executable,
        "-u",
        "-m",
        "http.server",
        "--bind",
        "127.0.0.1",
        "--directory",
        str(EXAMPLES / "browser"),
    )
    process = await asyncio.create_subprocess_exec(*command, str(port), stdout=PIPE, stderr=PIPE)
    assert process.stdout is not None
    await process.stdout.readline()
    origin = f"http://127.0.0.1:{port}"
    try:
        async with (
            server_over(f"sqlite:{tmp_path / 'streams.db'}") as server,
            gateway_before(server, "--cors-origin", origin, "--wait") as gateway,
        ):
            yield server, gateway, origin
    finally:
        process.kill()
        await process.communicate()


async def send(publisher: AsyncEventPublisher, events: list[bytes]) -> None:
    for event in events:
        await publisher.send(event)
    await publisher.flush()


async def test_event_source_reads_stream_over_dropped_connections(browser: Browser, tmp_path: Path) -> None:
    types = sorted({event["type"] for event in values(EXAMPLE)})
    async with served(tmp_path) as (server, gateway, origin), AsyncEventStreamClient(server.address) as client:
        await browser("open", origin)
        # Each cut is a few events later than the previous one.
        async with cutting(gateway.port, [2_000 + 400 * number for number in range(CUTS)]) as (url, cuts):
            reading = asyncio.create_task(
                browser("eventSource", f"{url}/v1/responses/resp_1?stream=true&wait=60", types)
            )
            async with client.publish("resp_1") as publisher:
                await send(publisher, EXAMPLE[:70])
                while len(cuts) < 3:  # noqa: ASYNC110 - the browser takes seconds for each connection
                    await asyncio.sleep(0.1)
                await server.kill()
                await server.start()
                await send(publisher, EXAMPLE[70:])
            result = await reading
        assert len(cuts) == CUTS
    assert result["how"] == "done"
    assert result["connections"] == CUTS + 1
    assert [json.loads(data) for data in result["received"]] == values(EXAMPLE)


async def test_page_shows_each_event_once_after_cuts_reload_and_killed_server(browser: Browser, tmp_path: Path) -> None:
    async with served(tmp_path) as (server, gateway, origin), AsyncEventStreamClient(server.address) as client:
        await browser("open", origin)
        await browser("read", f"http://{gateway.address}", "resp_1")
        parts = [EXAMPLE[start : start + 11] for start in range(0, len(EXAMPLE), 11)]
        assert len(parts) > CUTS + 2
        sent = 0
        async with client.publish("resp_1") as publisher:
            for number, part in enumerate(parts):
                if number == 5:
                    await server.kill()
                    await server.start()
                await send(publisher, part)
                sent += len(part)
                if number % 2:
                    # Otherwise the connection drops while the events are in flight.
                    await browser("events", sent)
                if number < CUTS:
                    await browser("press", "#cut")
                elif number == CUTS:
                    await browser("press", "#reload")
        await browser("status", "Complete")
        state = await browser("state")
        if folder := os.environ.get("OPENRESPONSES_SCREENSHOTS"):
            await browser("screenshot", str(Path(folder) / "page.png"))
    assert_shown(state)
    # It resumed: the events before the reload came from the saved state.
    match = re.search(r"over (\d+) connection", state["status"])
    assert match is not None
    assert int(match[1]) < CUTS


def assert_shown(state: dict[str, Any]) -> None:
    """Asserts that the page shows the response of the sample and counted each event once."""
    assert f"completed; {len(EXAMPLE)} events" in state["status"]
    assert "0 difference(s)" in state["status"]
    output = values(EXAMPLE)[-1]["response"]["output"]
    assert [item["type"] for item in state["items"]] == [item["type"] for item in output]
    for shown, item in zip(state["items"], output, strict=True):
        match item["type"]:
            case "message":
                assert shown["text"] == "\n\n".join(part["text"] for part in item["content"])
            case "reasoning":
                assert shown["text"] == "\n\n".join(part["text"] for part in item["summary"])
            case "function_call":
                assert (shown["text"], shown["title"]) == (item["arguments"], f"function call: {item['name']}")
            case "image_generation_call":
                assert shown["image"] == f"data:image/png;base64,{item['result']}"
                assert shown["width"] == 16


async def test_page_opened_after_the_end_shows_the_same(browser: Browser, tmp_path: Path) -> None:
    async with served(tmp_path) as (server, gateway, origin), AsyncEventStreamClient(server.address) as client:
        async with client.publish("resp_1") as publisher:
            await send(publisher, EXAMPLE)
        await browser("open", origin)
        await browser("read", f"http://{gateway.address}", "resp_1")
        await browser("status", "Complete")
        assert_shown(await browser("state"))
        await browser("press", "#reload")
        await browser("status", "Complete")
        assert_shown(await browser("state"))


async def test_page_shows_reason_of_failed_stream(browser: Browser, tmp_path: Path) -> None:
    async with served(tmp_path) as (server, gateway, origin), AsyncEventStreamClient(server.address) as client:
        async with client.publish("resp_1") as publisher:
            await publisher.send(EXAMPLE[0])
            await publisher.fail("UPSTREAM_TIMEOUT", "no event for 30 seconds")
        await browser("open", origin)
        await browser("read", f"http://{gateway.address}", "resp_1")
        await browser("status", "Failed with UPSTREAM_TIMEOUT, no event for 30 seconds")
