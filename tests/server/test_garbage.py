"""An ended call leaves no reference cycle, which would keep its request until the next garbage collection."""

import gc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from types import FrameType
from typing import Any

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest

from openresponses_grpc import server
from openresponses_grpc.codec._raw_messages import PUBLISH, SUBSCRIBE
from openresponses_grpc.server._calls import TIMEOUTS, Timeouts
from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.store import MemoryStore
from openresponses_grpc.v1.stream_service_pb2 import PublishRequest, SubscribeRequest

from ..faults.memory_attacks import CHECK, WATCH
from ..support.events import event

(SERVER,) = server.__path__

UNPARSABLE = b"\xff" * 100
LONG_NAME = HealthCheckRequest(service="s" * (64 << 10)).SerializeToString()
EMPTY_EVENT = PublishRequest(stream_id="s", events=[event(0)]).SerializeToString() + b"\x1a\0"
MISSING = SubscribeRequest(stream_id="s", must_exist=True).SerializeToString()


@asynccontextmanager
async def channel_to_server(timeouts: Timeouts = TIMEOUTS) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a server that stops with the context, so that its calls have ended there, too."""
    service = StreamService(MemoryStore(), timeouts=timeouts)
    async with running_server(service, "127.0.0.1:0") as address, grpc.aio.insecure_channel(address) as channel:
        yield channel


@pytest.fixture
def uncollected() -> Iterator[Callable[[], list[str]]]:
    """Yields a function that returns the server's functions whose variables only a garbage collection frees."""

    def functions() -> list[str]:
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        gc.set_debug(0)
        frames = [found.f_code for found in gc.garbage if isinstance(found, FrameType)]
        gc.garbage.clear()
        return [code.co_qualname for code in frames if code.co_filename.startswith(SERVER)]

    gc.collect()
    gc.disable()
    try:
        yield functions
    finally:
        gc.enable()


@pytest.mark.parametrize(
    "method, request_bytes, code",
    [
        (PUBLISH, UNPARSABLE, grpc.StatusCode.INVALID_ARGUMENT),
        (PUBLISH, EMPTY_EVENT, grpc.StatusCode.INVALID_ARGUMENT),
        (SUBSCRIBE, UNPARSABLE, grpc.StatusCode.INVALID_ARGUMENT),
        (SUBSCRIBE, MISSING, grpc.StatusCode.NOT_FOUND),
        (CHECK, LONG_NAME, grpc.StatusCode.INVALID_ARGUMENT),
        (WATCH, LONG_NAME, grpc.StatusCode.INVALID_ARGUMENT),
    ],
    ids=["unparsable-publish", "empty-event", "unparsable-subscribe", "missing-stream", "long-check", "long-watch"],
)
async def test_a_refused_request_leaves_no_cycle(
    uncollected: Callable[[], list[str]], method: str, request_bytes: bytes, code: grpc.StatusCode
) -> None:
    async with channel_to_server() as channel:
        method_call: Any = channel.stream_stream(method)
        call = method_call(iter([request_bytes]))
        assert await call.code() == code
    assert uncollected() == []


async def test_an_interrupted_call_leaves_no_cycle(uncollected: Callable[[], list[str]]) -> None:
    async with channel_to_server(Timeouts(first_request=0.2)) as channel:
        silent: Any = channel.stream_stream(PUBLISH)()
        assert await silent.code() == grpc.StatusCode.UNAVAILABLE
    assert uncollected() == []


async def test_a_cancelled_call_leaves_no_cycle(uncollected: Callable[[], list[str]]) -> None:
    async with channel_to_server() as channel:
        call: Any = channel.stream_stream(PUBLISH)()
        await call.write(PublishRequest(stream_id="s", events=[event(0)]).SerializeToString())
        await call.read()
        call.cancel()
        assert await call.code() == grpc.StatusCode.CANCELLED
    assert uncollected() == []
