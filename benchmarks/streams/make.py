"""Generates representative event streams, in the API's snake_case.

Most events are short text deltas. Most bytes are in these and in a few large `response.completed` events. A third of
the deltas have `obfuscation`, most have an empty `logprobs`, responses contain many nulls, and a few events have
undocumented types. The proportions follow recordings of several servers. Images are small, so that the benchmarks
measure events rather than base64.

Run it with `python -m benchmarks.streams.make DIRECTORY`. The output is deterministic.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from random import Random

from . import texts
from .api import HOSTED, LOCAL, ROUTER, Api
from .recording import Event, Recording

SEED = 20261125
SEARCH_TOOL = {
    "type": "web_search",
    "filters": None,
    "search_context_size": "medium",
    "user_location": {"type": "approximate", "city": None, "country": "FR", "region": None, "timezone": None},
}
IMAGE = {"background": "opaque", "output_format": "png", "quality": "low", "size": "1024x1024"}
IMAGE_TOOL = {"type": "image_generation", "moderation": "auto", "n": 1, "output_compression": 100, **IMAGE}
MCP_TOOL = {
    "name": "shorten_link",
    "description": "Make a short link.",
    "input_schema": {"type": "object", "properties": {"url": {"type": "string"}}, "required": ["url"]},
    "annotations": None,
}


def chat(random: Random, api: Api) -> list[Event]:
    """A question and an answer."""
    recording = Recording(api, random)
    recording.text("\n\n".join(random.sample(texts.ANSWERS, random.choice((1, 1, 2)))))
    return recording.complete(question=random.randint(20, 400))


def thinking(random: Random) -> list[Event]:
    """An open model that returns its reasoning as text."""
    recording = Recording(ROUTER, random)
    recording.open_reasoning(random.choice(texts.THOUGHTS))
    recording.text(random.choice(texts.ANSWERS))
    return recording.complete(question=random.randint(20, 400))


def agent(random: Random, api: Api) -> list[Event]:
    """The turns of an agent. Each response repeats the instructions and tools, and all but the last call a tool."""
    reasoning = {"effort": "high", "summary": "detailed"}
    events: list[Event] = []
    for name, arguments in (*random.sample(texts.CALLS, 3), ("", "")):
        recording = Recording(
            api, random, instructions=texts.INSTRUCTIONS, tools=texts.FUNCTIONS, store=False, reasoning=reasoning
        )
        if not events:
            recording.reasoning([random.choice(texts.THOUGHTS)], encrypted=900)
        if name:
            recording.function_call(name, arguments)
        else:
            recording.text(random.choice(texts.ANSWERS))
        events += recording.complete(question=1_800 + len(events))
    return events


def search(random: Random, grain: int) -> list[Event]:
    """Web searches, opened pages, and an answer with its sources."""
    recording = Recording(HOSTED, random, grain=grain, tools=[SEARCH_TOOL])
    urls = [url for url, _ in texts.SITES]
    actions: tuple[Event, ...] = (
        {"type": "search", "query": "high water Saint-Malo tomorrow", "sources": [_source(url) for url in urls]},
        {"type": "open_page", "url": urls[0]},
        {"type": "find_in_page", "pattern": "high water", "url": urls[0]},
    )
    for action in actions:
        recording.reasoning()
        recording.web_search(action)
    recording.reasoning()
    recording.text("\n\n".join(random.sample(texts.ANSWERS, 2)), random.sample(texts.SITES, 5))
    return recording.complete(question=9_000)


def _source(url: str) -> Event:
    return {"type": "url", "url": url}


def picture(random: Random) -> list[Event]:
    """An image with one preview, and a sentence about it."""
    recording = Recording(HOSTED, random, tools=[IMAGE_TOOL])
    recording.reasoning()
    recording.image("A lighthouse at high tide, in flat colours", random.randbytes(900), random.randbytes(500), **IMAGE)
    recording.text(texts.ANSWERS[0].partition("\n")[0])
    return recording.complete(question=60)


def tools(random: Random) -> list[Event]:
    """Tools that OpenRouter's SDK does not define: an MCP server, the code interpreter, and a plain-text tool."""
    recording = Recording(HOSTED, random, tools=[{"type": "code_interpreter", "container": {"type": "auto"}}])
    url = texts.SITES[2][0]
    recording.mcp("links", [MCP_TOOL], "shorten_link", json.dumps({"url": url}), f"Short link for {url}: /a7Kd")
    recording.code(texts.CODE, "parcel                time  delay\n NO447 2026-11-19 08:12   61.5\n")
    recording.custom_tool("apply_patch", texts.PATCH)
    recording.emit("keepalive")
    recording.text(texts.ANSWERS[4])
    return recording.complete(question=700)


def failure(random: Random) -> list[Event]:
    """A response that fails before its first token."""
    recording = Recording(HOSTED, random)
    recording.emit("keepalive")
    return recording.fail("rate_limit_exceeded", "Rate limit reached for this model. Please try again in 12.4s.")


def streams() -> dict[str, list[Event]]:
    """Returns all streams, by name."""
    coarse = replace(HOSTED, model="gpt-5.1-2025-11-13", obfuscation=False)
    makers: list[tuple[str, int, Callable[[Random], list[Event]]]] = [
        ("chat-hosted", 5, lambda random: chat(random, HOSTED)),
        ("chat-local", 9, lambda random: chat(random, LOCAL)),
        ("chat-router", 5, lambda random: chat(random, ROUTER)),
        ("thinking", 2, thinking),
        ("agent-hosted", 3, lambda random: agent(random, HOSTED)),
        ("agent-local", 1, lambda random: agent(random, coarse)),
        ("search", 3, lambda random: search(random, 5)),
        ("picture", 3, picture),
        ("tools", 1, tools),
        ("failure", 1, failure),
    ]
    random = Random(SEED)
    return {f"{name}-{number}": make(random) for name, count, make in makers for number in range(1, count + 1)}


def ndjson(events: Iterable[Event]) -> bytes:
    """Returns the events as NDJSON, as compact as APIs send it."""
    return b"".join(json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for event in events)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for name, events in streams().items():
        (target / f"{name}.ndjson").write_bytes(ndjson(events))
