"""Readers and converters accept any bytes-like object, and reject text with a remedy."""

from collections.abc import Callable
from typing import Any

import pytest

from openresponses_grpc import json_to_protobuf, protobuf_to_json
from openresponses_grpc.framing import FORMATS, read_events

from ..support.events import GENERATING_JSON

EVENT = json_to_protobuf(GENERATING_JSON)
INPUTS = {
    "ndjson": GENERATING_JSON + b"\n",
    "sse": b"data: " + GENERATING_JSON + b"\n\n",
    "protobuf": bytes([len(EVENT)]) + EVENT,
}


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("name", INPUTS)
def test_readers_accept_any_bytes_like_chunks(name: str, kind: Callable[[bytes], Any]) -> None:
    data = INPUTS[name]
    for cut in range(len(data)):
        reader = FORMATS[name].reader(json_to_protobuf)
        events = list(read_events(reader, [kind(data[:cut]), kind(data[cut:])]))
        assert events == [EVENT]
        assert type(events[0]) is bytes


@pytest.mark.parametrize("name", INPUTS)
def test_rejects_chunk_of_text_with_a_remedy(name: str) -> None:
    reader: Any = FORMATS[name].reader(json_to_protobuf)
    with pytest.raises(TypeError, match="expected bytes, got str: encode it as UTF-8, or open the file in binary mode"):
        list(reader.feed("data: {}"))


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_converters_accept_any_bytes_like_event(kind: Callable[[bytes], Any]) -> None:
    assert json_to_protobuf(kind(GENERATING_JSON)) == EVENT
    assert protobuf_to_json(kind(EVENT)) == GENERATING_JSON


def test_rejects_text_as_serialized_event() -> None:
    with pytest.raises(TypeError, match="expected bytes, got str"):
        protobuf_to_json("{}")  # type: ignore[arg-type]
