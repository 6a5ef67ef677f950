"""Attacks on the memory of a server, mostly without a token; run by attacks.py."""

from __future__ import annotations

import asyncio
import gzip
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from itertools import cycle
from typing import Any, Final

import grpc
from google.protobuf.message import Message
from grpc_health.v1.health_pb2 import HealthCheckRequest
from h2.exceptions import ProtocolError

from openresponses_grpc.codec import _raw_messages as raw_messages
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc.v1.items_pb2 import ResponsesOutputItemList
from openresponses_grpc.v1.response_events_pb2 import OpenResponsesStreamEventResponseCompleted
from openresponses_grpc.v1.response_pb2 import OpenResponsesNonStreamingResponse
from openresponses_grpc.v1.stream_service_pb2 import PublishRequest

from .peers import connected, framed

Tally = Counter[str]

TOKEN: Final = "known"
"""The token of the attacks that use one."""

METADATA: Final = (("authorization", f"Bearer {TOKEN}"),)

LARGEST: Final = raw_messages.MAX_REQUEST_BYTES - (1 << 20)
"""Bytes of a request that the server accepts, with a margin for other fields."""

CHECK, WATCH = "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"
_METHODS: Final = (CHECK, WATCH, raw_messages.PUBLISH, raw_messages.SUBSCRIBE)


async def watch_long_names(port: int, tally: Tally) -> None:
    """Sends health watches for a service name of 15 MiB."""
    name = _field(HealthCheckRequest, "service", b"", size=LARGEST)
    while True:
        with suppress(OSError, ProtocolError):
            async with connected(port) as peer:
                call = peer.call(WATCH, framed(name, size=len(name) + LARGEST), end=False)
                tally["calls"] += 1
                await peer.fill(call, LARGEST)
                await peer.finish(call)


async def leave_messages_unfinished(port: int, tally: Tally) -> None:
    """Sends messages of 15 MiB without their last byte, and waits."""
    for method in cycle(_METHODS):
        with suppress(OSError, ProtocolError):
            async with connected(port) as peer:
                call = peer.call(method, framed(b"", size=LARGEST), end=False)
                tally["messages"] += 1
                await peer.fill(call, LARGEST - 1)
                await peer.finish(call)


async def send_gzip_bombs(port: int, tally: Tally) -> None:
    """Sends 60 KiB that inflate to 60 MiB."""
    bomb = framed(gzip.compress(bytes(60 << 20)), compressed=True)
    for method in cycle(_METHODS):
        with suppress(OSError, ProtocolError):
            async with connected(port) as peer:
                call = peer.call(method, b"", ("grpc-encoding", "gzip"), end=False)
                await peer.fill(call, len(bomb), bomb)
                tally["bombs"] += 1
                await peer.finish(call)


async def hold_idle_connections(port: int, tally: Tally) -> None:
    """Opens a connection, sends the HTTP/2 preface and waits; opens another one soon after it was closed."""
    while True:
        with suppress(OSError):
            async with connected(port) as peer:
                await peer.send()
                tally["connections"] += 1
                await peer.read()
        await asyncio.sleep(0.2)


async def send_tiny_events(port: int, tally: Tally) -> None:
    """Publishes, with a token, 3.9 million events in one request of 15 MiB."""
    event = OpenResponsesStreamEvent()
    event.image_generation_call_generating.SetInParent()
    request = _field(PublishRequest, "events", event.SerializeToString())
    request *= LARGEST // len(request)
    await _publish(port, tally, [request], grpc.StatusCode.INVALID_ARGUMENT)


async def send_tiny_messages(port: int, tally: Tally) -> None:
    """Publishes, with a token, one event of 15 MiB that consists of 7.8 million empty messages."""
    await _publish(port, tally, [nested(LARGEST // 2)], grpc.StatusCode.INVALID_ARGUMENT)


def nested(messages: int) -> bytes:
    """Returns a request with one event that consists of this number of empty messages."""
    data = _field(ResponsesOutputItemList, "items", b"") * messages
    data = _field(OpenResponsesNonStreamingResponse, "output", data)
    data = _field(OpenResponsesStreamEventResponseCompleted, "response", data)
    return _field(PublishRequest, "events", _field(OpenResponsesStreamEvent, "completed", data))


async def send_large_requests(port: int, tally: Tally) -> None:
    """Publishes valid requests of 15 MiB with a token, alternately with one event and with a thousand."""
    requests = []
    for size in (LARGEST, LARGEST >> 10):
        event = OpenResponsesStreamEvent()
        event.image_generation_call_generating.item_id = "x" * size
        requests.append(PublishRequest(events=[event] * (LARGEST // size)).SerializeToString())
    await _publish(port, tally, requests, grpc.StatusCode.OK)


async def _publish(port: int, tally: Tally, requests: Sequence[bytes], code: grpc.StatusCode) -> None:
    """Publishes each request as its own stream, repeatedly, and asserts the status."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        for request in cycle(requests):
            rest = PublishRequest(stream_id=f"large-{tally.total()}", end_of_stream=True).SerializeToString()
            publish: Any = channel.stream_stream(raw_messages.PUBLISH)
            call = publish(iter([request + rest]), metadata=METADATA)
            with suppress(grpc.aio.AioRpcError):
                await call.read()
            assert await call.code() == code, await call.details()
            tally["requests"] += 1


def _field(message: type[Message], name: str, value: bytes, *, size: int | None = None) -> bytes:
    """Returns a length-delimited field; `size` replaces the real length."""
    number = message.DESCRIPTOR.fields_by_name[name].number
    return _varint(number << 3 | 2) + _varint(len(value) if size is None else size) + value


def _varint(value: int) -> bytes:
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(data) + bytes([value])
