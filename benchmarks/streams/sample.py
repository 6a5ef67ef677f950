"""Generates examples/response.ndjson, the SDK's JSON of a response with everything that a reader is likely to receive.

Run it with `python -m benchmarks.streams.sample > examples/response.ndjson`.
"""

from __future__ import annotations

import json
import struct
import sys
import zlib
from dataclasses import replace
from random import Random

from openresponses_grpc import from_json, to_json

from .api import ROUTER
from .make import ndjson
from .recording import Event, Recording

API = replace(ROUTER, model="openai/gpt-5-mini", logprobs=True)
THOUGHT = """**Finding the tide**

The user wants to walk to Grand Bé tomorrow. I need the time of low water at Saint-Malo, so I'll search first."""
SEARCH = {"type": "search", "query": "Saint-Malo low water 26 November 2026"}
SOURCE = ("https://tides.example.org/ports/saint-malo", "Tide tables for Saint-Malo")
ANSWER = """Low water at Saint-Malo is at **14:52** tomorrow, at 1.9 metres.
The causeway to Grand Bé is dry from about 12:50 to 16:50. Set off at 13:00, and be back by 16:15: the sea returns \
quickly over the flat sand, and the island is cut off for six hours.

Here is a small picture of the bay, and I've set a reminder."""
PROMPT = "The bay of Saint-Malo at low tide under a full moon, as 16 by 16 pixels"
REMINDER = {"title": "Leave for Grand Bé", "time": "2026-11-26T13:00:00+01:00", "minutesBefore": 30}
TOOL = {
    "type": "function",
    "name": "set_reminder",
    "description": "Set a reminder in the user's calendar.",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {
            "title": {"type": "string"},
            "time": {"type": "string", "format": "date-time"},
            "minutesBefore": {"type": "integer", "minimum": 0},
        },
        "required": ["title", "time", "minutesBefore"],
        "additionalProperties": False,
    },
}

OUTPUT_INDEX = {
    "response.image_generation_call.generating": 7977.54,
    "response.image_generation_call.completed": 3469.55,
}
"""The values in OpenRouter's documentation: an index may be any number."""

SKY, MOON, SEA, SAND = b"\x1d\x2b\x53", b"\xff\xf1\xc2", b"\x29\x6d\x98", b"\xd9\xb3\x7c"


def png(size: int) -> bytes:
    """Returns the image as a square PNG."""

    def color(x: float, y: float) -> bytes:
        if (x - 0.7) ** 2 + (y - 0.25) ** 2 < 0.03:
            return MOON
        return SKY if y < 0.5 else SEA if y < 0.65 + 0.2 * x else SAND

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    steps = [(step + 0.5) / size for step in range(size)]
    rows = b"".join(b"\0" + b"".join(color(x, y) for x in steps) for y in steps)
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def events() -> list[Event]:
    """Returns the events of the response, in snake_case."""
    recording = Recording(
        API,
        Random(2026),
        grain=2,
        created_at=1_795_600_000,
        tools=[TOOL, {"type": "web_search", "search_context_size": "medium"}],
        reasoning={"effort": "medium", "summary": "auto"},
    )
    recording.reasoning([THOUGHT])
    recording.web_search(SEARCH | {"sources": [{"type": "url", "url": SOURCE[0]}]})
    recording.text(ANSWER, [SOURCE])
    recording.image(PROMPT, png(16), png(8))
    recording.function_call("set_reminder", json.dumps(REMINDER, ensure_ascii=False, separators=(",", ":")))
    for event in recording.events:
        if event["type"] in OUTPUT_INDEX:
            event["output_index"] = OUTPUT_INDEX[event["type"]]
    return recording.complete(question=412)


if __name__ == "__main__":
    for line in ndjson(events()).splitlines():
        sys.stdout.buffer.write(to_json(from_json(line)) + b"\n")
