"""The events that the programs of examples/ publish and print, in their formats."""

from __future__ import annotations

from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterable
from typing import Final

from openresponses_grpc import json_to_protobuf, protobuf_to_json
from openresponses_grpc.framing import FORMATS

from .languages import Language

COUNT: Final = 10_000

_SHAPES: Final = [
    '{"type":"response.output_text.delta","logprobs":[],"outputIndex":0,"itemId":"msg_1","contentIndex":0,'
    r'"delta":"\"\\\b\f\n\r\t\u0001/é😀","sequenceNumber":%d,"obfuscation":"x","vendor":{"deep":[12345678901234567890]}}',
    '{"type":"response.output_text.delta","logprobs":[{"token":"a","logprob":-0.5,"topLogprobs":[],"bytes":[97]}],'
    '"outputIndex":0,"itemId":"","contentIndex":5e-324,"delta":"","sequenceNumber":%d}',
    '{"type":"response.output_item.done","outputIndex":1,"sequenceNumber":%d,"item":{"type":"function_call","id":"fc_1",'
    '"name":"f","arguments":"{}","callId":"call_1","status":null,"extra":true}}',
    '{"type":"response.output_item.done","outputIndex":1e21,"sequenceNumber":%d,"item":{"type":"not yet","n":[1]}}',
    '{"type":"response.completed","sequenceNumber":%d,"response":{"id":"resp_1","output":[{"type":"message","id":"msg_1",'
    '"role":"assistant","content":[{"type":"output_text","text":"a","annotations":[]}]}],"metadata":{"b":"1","a":"2"},'
    '"tools":[],"toolChoice":"auto","usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3}}}',
    '{"type":"response.image_generation_call.generating","itemId":"ig_1","outputIndex":7977.54,"sequenceNumber":%d}',
    '{"type":"response.image_generation_call.completed","itemId":"no number","outputIndex":"0","sequenceNumber":%d}',
    '{"type":"of tomorrow", "exact":12345678901234567890, "sequence_number":%d}',
]
EVENTS: Final = [json_to_protobuf(_SHAPES[number % len(_SHAPES)] % number) for number in range(COUNT)]
"""Serialized events, all different."""


def encoded(language: Language, events: Iterable[bytes]) -> bytes:
    """The events in the input format of the language's `publish`."""
    return b"".join(FORMATS[language.format].writer(protobuf_to_json).write(events))


async def printed(language: Language, subscriber: Process) -> AsyncIterator[bytes]:
    """Yields each event from the output of `subscribe --events` as soon as it is complete, serialized."""
    assert subscriber.stdout is not None
    reader = FORMATS[language.format].reader(json_to_protobuf)
    while chunk := await subscriber.stdout.read(1 << 16):
        for received in reader.feed(chunk):
            yield received
    assert list(reader.close()) == []
