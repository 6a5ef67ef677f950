"""Limits for unauthenticated callers, requests and connections of a real server."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from typing import Any

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from hypothesis import given
from hypothesis import strategies as st

from openresponses_grpc import AsyncEventStreamClient
from openresponses_grpc.codec._raw_messages import MAX_ELEMENTS, MAX_EVENTS, PUBLISH, SERVICE_NAME, SUBSCRIBE
from openresponses_grpc.server import _anonymous as anonymous
from openresponses_grpc.server import _fields as fields
from openresponses_grpc.server._calls import Timeouts
from openresponses_grpc.server._server import OPTIONS as SERVER_OPTIONS
from openresponses_grpc.server._server import RESERVED, connections, running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.store import MemoryStore
from openresponses_grpc.v1.stream_service_pb2 import PublishRequest, PublishResponse, SubscribeRequest
from openresponses_grpc.v1.stream_service_pb2_grpc import OpenResponsesStreamServiceStub

from ..faults.memory_attacks import CHECK, WATCH, nested
from ..faults.peers import connected, framed
from ..support.events import event, number
from ..support.rpc import reason, status

SERVING = HealthCheckResponse.SERVING
TINY = b"\x1a\x02\x0a\x00"
"""A request with the smallest possible event."""


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


async def publish(channel: grpc.aio.Channel, request: bytes) -> Any:
    call: Any = channel.stream_stream(PUBLISH)
    return await call(iter([request + PublishRequest(stream_id="s").SerializeToString()])).read()


@pytest.mark.parametrize(
    "request_bytes, field, limit",
    [
        (TINY * (MAX_EVENTS + 1), "events", MAX_EVENTS),
        (b"\x1a\0" * (MAX_EVENTS + 1), "events", MAX_EVENTS),
        (b"\x9a\0\0" * (MAX_EVENTS + 1), "events", MAX_EVENTS),
        (nested(MAX_ELEMENTS), "events[0]", MAX_ELEMENTS),
    ],
    ids=["tiny", "empty", "long-tags", "nested"],
)
async def test_a_request_with_too_many_events_or_elements_is_refused(
    channel: grpc.aio.Channel, request_bytes: bytes, field: str, limit: int
) -> None:
    code, details = await status(publish(channel, request_bytes))
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    (violation,) = details["BadRequest"].field_violations
    assert violation.field == field
    assert f"{limit:,}" in violation.description


async def test_a_request_can_contain_the_maximum_number_of_events(channel: grpc.aio.Channel) -> None:
    response = PublishResponse.FromString(await publish(channel, TINY * MAX_EVENTS))
    assert response.next_offset == MAX_EVENTS


@given(st.binary(max_size=200))
def test_counting_elements_terminates_for_any_bytes(data: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fields, "MAX_ELEMENTS", 4)
        try:
            list(fields.count_elements(data))
        except fields.TooManyError as error:
            assert "more than 4 " in str(error)


@pytest.mark.parametrize(
    "service, code",
    [
        ("", None),
        (SERVICE_NAME, None),
        ("s", grpc.StatusCode.NOT_FOUND),
        ("s" * (64 << 10), grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
async def test_health_knows_the_server_and_the_stream_service(
    channel: grpc.aio.Channel, service: str, code: grpc.StatusCode | None
) -> None:
    request = HealthCheckRequest(service=service)
    check, watch = HealthStub(channel).Check(request), HealthStub(channel).Watch(request)
    if code is None:
        assert (await check).status == SERVING
        assert (await watch.read()).status == SERVING
        watch.cancel()
    else:
        assert await check.code() == code
        assert await watch.code() == code


async def test_health_watches_are_told_of_the_shutdown() -> None:
    async with running_server(StreamService(MemoryStore()), "127.0.0.1:0") as address:
        channel = grpc.aio.insecure_channel(address)
        watch = HealthStub(channel).Watch(HealthCheckRequest())
        assert (await watch.read()).status == SERVING
    assert (await watch.read()).status == HealthCheckResponse.NOT_SERVING
    assert await watch.code() == grpc.StatusCode.UNAVAILABLE
    await channel.close()


async def test_health_watches_are_limited_separately(channel: grpc.aio.Channel) -> None:
    stub = HealthStub(channel)
    watches = [stub.Watch(HealthCheckRequest()) for _ in range(4)]
    for watch in watches:
        assert (await watch.read()).status == SERVING
    code, details = await status(stub.Watch(HealthCheckRequest()).read())
    assert (code, reason(details)) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS")
    assert (await stub.Check(HealthCheckRequest())).status == SERVING
    for watch in watches:
        watch.cancel()


@pytest.mark.parametrize("method", [CHECK, WATCH])
async def test_unfinished_health_requests_do_not_block_others(
    server: str, channel: grpc.aio.Channel, method: str
) -> None:
    async with connected(port_of(server)) as one, connected(port_of(server)) as another:
        for peer in (one, another):
            call = peer.call(method, framed(b"", size=15 << 20), end=False)
            await peer.fill(call, 1 << 20)
        assert (await HealthStub(channel).Check(HealthCheckRequest())).status == SERVING
        await asyncio.gather(*(peer.finish(1) for peer in (one, another)))


@asynccontextmanager
async def busy_event_loop() -> AsyncIterator[None]:
    """Blocks the event loop for 20 ms in each of its iterations."""

    async def block() -> None:
        while True:
            end = time.perf_counter() + 0.02
            while time.perf_counter() < end:
                pass
            await asyncio.sleep(0)

    task = asyncio.create_task(block())
    try:
        yield
    finally:
        task.cancel()


async def test_a_busy_server_whose_memory_grows_answers_health_checks(
    channel: grpc.aio.Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anonymous, "_resident_bytes", partial(next, count(step=5 << 20)))
    async with busy_event_loop():
        for _ in range(5):
            assert (await HealthStub(channel).Check(HealthCheckRequest())).status == SERVING


@pytest.fixture
async def impatient() -> AsyncIterator[str]:
    """The address of a server with short request timeouts."""
    service = StreamService(MemoryStore(), timeouts=Timeouts(first_request=0.2, next_request=0.2))
    async with running_server(service, "127.0.0.1:0") as address:
        yield address


@pytest.mark.parametrize("method", [PUBLISH, SUBSCRIBE])
async def test_a_call_without_a_first_request_times_out(impatient: str, method: str) -> None:
    async with grpc.aio.insecure_channel(impatient) as channel:
        call: Any = channel.stream_stream(method)()
        code, details = await status(call.read())
    assert (code, reason(details)) == (grpc.StatusCode.UNAVAILABLE, "REQUEST_TIMEOUT")
    assert "RetryInfo" in details


async def test_a_call_with_a_partial_request_times_out(impatient: str) -> None:
    async with connected(port_of(impatient)) as peer:
        call = peer.call(PUBLISH, framed(b"", size=1 << 20), end=False)
        await peer.fill(call, 1 << 10)
        await peer.finish(call)


async def test_a_silent_publisher_reconnects_and_continues(impatient: str) -> None:
    async with AsyncEventStreamClient(impatient) as client, client.publish("s") as publisher:
        await publisher.send(event(0))
        await publisher.flush()
        async with grpc.aio.insecure_channel(impatient) as channel:
            call = OpenResponsesStreamServiceStub(channel).Publish()
            await call.write(PublishRequest(stream_id="other"))
            await call.read()
            assert (await status(call.read()))[0] == grpc.StatusCode.UNAVAILABLE
        await publisher.send(event(1))
        await publisher.flush()
        subscription = client.subscribe("s")
        assert [number(await anext(subscription)) for _ in range(2)] == [0, 1]
        await subscription.aclose()


async def test_compressed_requests_are_refused(server: str) -> None:
    async with grpc.aio.insecure_channel(server, compression=grpc.Compression.Gzip) as channel:
        call = OpenResponsesStreamServiceStub(channel).Subscribe(SubscribeRequest(stream_id="s" * 200))
        assert await call.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_an_idle_connection_is_closed_for_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    options = {**dict(SERVER_OPTIONS), "grpc.max_connection_idle_ms": 200}
    monkeypatch.setattr("openresponses_grpc.server._server.OPTIONS", [*options.items()])
    async with running_server(StreamService(MemoryStore()), "127.0.0.1:0", max_connections=2) as address:
        port = port_of(address)
        async with connected(port) as one, connected(port) as another:
            await asyncio.gather(one.send(), another.send())
            async with AsyncEventStreamClient(address, wait_for_ready=True) as client, client.publish("s"):
                pass
            await asyncio.gather(one.read(), another.read())


@pytest.mark.parametrize(
    "wanted, files, expected",
    [
        (None, 1024, 1024 - RESERVED),
        (None, 1 << 20, 10_000),
        (None, -1, 10_000),
        (50_000, -1, 50_000),
        (500, 1024, 500),
        (1000, 1024, None),
        (None, 100, None),
    ],
)
def test_the_connection_limit_depends_on_the_limit_of_open_files(
    wanted: int | None, files: int, expected: int | None
) -> None:
    if expected is None:
        with pytest.raises(ValueError, match="raise its hard limit"):
            connections(wanted, 10_000, files)
    else:
        assert connections(wanted, 10_000, files) == expected
