"""Wall clock jumps of a server: nothing expires early, and nothing is kept for ever."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import grpc
import pytest

from openresponses_grpc import AsyncEventStreamClient
from openresponses_grpc.store.redis._store import READER_SECONDS  # the minimum retention
from openresponses_grpc.v1.stream_service_pb2 import GetStreamRequest, StreamInfo
from openresponses_grpc.v1.stream_service_pb2_grpc import OpenResponsesStreamServiceStub

from ..support.redis_server import RedisServer, running
from .processes import OPENRESPONSES, Restartable, free_port
from .replays import replays
from .traffic import Stream

pytestmark = pytest.mark.faults

JUMPS = ("+1h", "-1h", "-1d", "+0")
LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
STORES = ["memory:", "sqlite:{folder}/streams.db"]


class Clock:
    """A wall clock for processes that are started with its prefix. Their monotonic clock stays real."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.set("+0")
        if not LIBRARIES:
            if os.environ.get("OPENRESPONSES_REQUIRE_FAKETIME"):
                pytest.fail("libfaketime is not installed")
            pytest.skip("libfaketime is not installed")
        self.prefix = (
            "env",
            f"LD_PRELOAD={LIBRARIES[0]}",
            f"FAKETIME_TIMESTAMP_FILE={self._file}",
            "FAKETIME_NO_CACHE=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
        )

    def set(self, ahead: str) -> None:
        """Sets the offset from the real clock, such as `+1h` or `-1d`."""
        new = self._file.with_name("new")
        new.write_text(ahead)
        new.replace(self._file)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path)


def server(clock: Clock, store: str, *options: str) -> Restartable:
    port = free_port()
    command = (*clock.prefix, str(OPENRESPONSES), "serve", "--listen", f"127.0.0.1:{port}", "--store", store)
    return Restartable(port, (*command, "--log-level", "warning", *options), ready=b"listening on ")


@asynccontextmanager
async def connected(process: Restartable) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(process.address) as channel:
        yield channel


async def describe(channel: grpc.aio.Channel, stream_id: str) -> StreamInfo | None:
    """Returns the stream, or None if it has expired."""
    try:
        request = GetStreamRequest(stream_id=stream_id)
        response = await OpenResponsesStreamServiceStub(channel).GetStream(request)
    except grpc.aio.AioRpcError as error:
        assert error.code() is grpc.StatusCode.NOT_FOUND
        return None
    assert isinstance(response.stream, StreamInfo)
    return response.stream


@pytest.mark.parametrize("store", STORES, ids=["memory", "sqlite"])
async def test_wall_clock_jumps_expire_nothing_early(
    clock: Clock, store: str, tmp_path: Path, factor: int, report: Callable[[str], None]
) -> None:
    stream, finished = Stream("live"), Stream("finished")
    async with (
        server(clock, store.format(folder=tmp_path), "--retention", "10m") as process,
        connected(process) as channel,
    ):
        await finished.publish_at_once(channel, 100)
        created = await describe(channel, finished.id)
        assert created
        async with stream.traffic(process.address, subscribers=5), replays(process.address, finished.id) as during:
            for jump in JUMPS * factor:
                clock.set(jump)
                shown = created.expire_time.seconds - created.create_time.seconds
                await stream.wait_for_progress(1500)  # takes seconds, so that the server checks for expired streams
                info = await describe(channel, finished.id)
                assert info
                assert abs(info.expire_time.seconds - info.create_time.seconds - shown) <= 1
        peak = process.peak()
        async with AsyncEventStreamClient(process.address) as client:
            await finished.subscribe(client)
    verdict = stream.verdict() + finished.verdict()
    report(f"wall clock set to {', '.join(JUMPS)}: {during}; peak {peak >> 20} MiB; {verdict}")
    assert not verdict.faults
    assert not during.errors


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("store", STORES, ids=["memory", "sqlite"])
async def test_wall_clock_jumps_do_not_delay_expiry(
    clock: Clock, store: str, jump: str, tmp_path: Path, report: Callable[[str], None]
) -> None:
    async with (
        server(clock, store.format(folder=tmp_path), "--retention", "2s") as process,
        connected(process) as channel,
    ):
        started = time.monotonic()
        await Stream("s").publish_at_once(channel, 1)
        clock.set(jump)
        kept = await wait_for_expiry(channel, "s", started)
    report(f"kept for {kept:.2f} of 2 s")
    assert kept >= 2


async def wait_for_expiry(channel: grpc.aio.Channel, stream_id: str, started: float) -> float:
    """Waits until a stream has expired; returns the seconds since `started`."""
    while await describe(channel, stream_id):  # noqa: ASYNC110 - the server expires it
        await asyncio.sleep(0.01)
    return time.monotonic() - started


@pytest.mark.parametrize("jump", JUMPS)
async def test_a_wall_clock_jump_during_downtime_does_not_affect_retention(
    clock: Clock, jump: str, tmp_path: Path, report: Callable[[str], None]
) -> None:
    async with (
        server(clock, f"sqlite:{tmp_path}/streams.db", "--retention", "5s") as process,
        connected(process) as channel,
    ):
        started = time.monotonic()
        await Stream("s").publish_at_once(channel, 1)
        await process.kill()
        clock.set(jump)
        await process.start()
        await channel.channel_ready()
        kept = await wait_for_expiry(channel, "s", started)
    report(f"kept for {kept:.2f} of 5 s, across kill -9")
    assert kept >= 5


async def test_over_redis_the_wall_clock_of_a_server_has_no_effect(
    clock: Clock, tmp_path: Path, report: Callable[[str], None]
) -> None:
    with running(RedisServer(tmp_path, free_port())) as redis:
        async with server(clock, redis.url, "--retention", "2s") as process, connected(process) as channel:
            started = []
            for jump in JUMPS:
                clock.set(jump)
                started.append(time.monotonic())
                await Stream(jump).publish_at_once(channel, 1)
            kept = await asyncio.gather(*map(partial(wait_for_expiry, channel), JUMPS, started))
    for jump, seconds in zip(JUMPS, kept, strict=True):
        report(f"published with the wall clock of the server at {jump}: kept for {seconds:.2f} of {READER_SECONDS} s")
        assert seconds >= READER_SECONDS
