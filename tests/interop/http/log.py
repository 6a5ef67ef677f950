"""The streams that the clients read, and the events that each client returns."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from openresponses_grpc import AsyncEventStreamClient, json_to_protobuf, protobuf_to_json
from openresponses_grpc.codec._schema import Naming
from openresponses_grpc.errors import UnknownEventTypeError

EXAMPLE: Final = [
    json_to_protobuf(line)
    for line in (Path(__file__).parents[3] / "examples" / "response.ndjson").read_bytes().splitlines()
]
"""The sample stream, serialized."""


async def publish(client: AsyncEventStreamClient, stream_id: str, events: Iterable[bytes]) -> None:
    async with client.publish(stream_id) as publisher:
        for event in events:
            await publisher.send(event)


def values(events: Iterable[bytes], naming: Naming = "snake_case") -> list[Any]:
    """The events as JSON values."""
    return [json.loads(protobuf_to_json(event, naming=naming)) for event in events]


def known_to_the_sdk(events: Iterable[bytes]) -> list[bytes]:
    """The events whose type is in OpenRouter's SDK."""
    return [event for event in events if _is_known(event)]


def _is_known(event: bytes) -> bool:
    try:
        json_to_protobuf(protobuf_to_json(event), strict=True)
    except UnknownEventTypeError:
        return False
    return True
