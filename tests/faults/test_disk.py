"""A full disk and a moved file: acknowledged events survive, and the server recovers without a restart."""

import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import grpc
import pytest

from openresponses_grpc.client._channel import OPTIONS
from openresponses_grpc.v1.stream_service_pb2 import PublishRequest
from openresponses_grpc.v1.stream_service_pb2_grpc import OpenResponsesStreamServiceStub

from ..cli.processes import run_process
from ..support.small_disk import fill, small_disk
from .processes import Restartable, server
from .replays import replays
from .traffic import Stream, event, wait_until

pytestmark = pytest.mark.faults

DISK_BYTES = 12 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", DISK_BYTES) as folder:
        yield folder


async def publish_until_full(process: Restartable, name: str) -> int:
    """Publishes ended streams until one is refused; returns the number of stored streams."""
    async with grpc.aio.insecure_channel(process.address, options=OPTIONS) as channel:
        stub = OpenResponsesStreamServiceStub(channel)
        events = [event(name, number, padding=20_000) for number in range(20)]
        for number in count():
            request = PublishRequest(stream_id=f"{name} {number}", events=events, end_of_stream=True)
            call = stub.Publish(iter((request,)))
            try:
                await call.read()
            except grpc.aio.AioRpcError as error:
                assert error.code() is grpc.StatusCode.UNAVAILABLE, error.details()
                return number
    raise AssertionError


@pytest.mark.parametrize("killed", [False, True], ids=["running", "server killed"])
async def test_expired_streams_free_a_full_disk(
    disk: Path, factor: int, report: Callable[[str], None], killed: bool
) -> None:
    stream = Stream("live")
    options = ("--retention", "5s", "--abandon-after", "5s", "--log-level", "warning")
    async with (
        server(f"sqlite:{disk}/streams.db", *options) as process,
        stream.traffic(process.address, subscribers=5),
    ):
        async with replays(process.address, stream.id) as before:
            await stream.wait_for_progress(500)
        async with replays(process.address, stream.id) as during:
            for cycle in range(2 * factor):
                stored = await publish_until_full(process, f"other {cycle}")
                others = fill(disk)
                full_since = time.monotonic()
                if killed:
                    await process.kill()
                    await process.start()
                await stream.wait_for_progress(100)
                recovered = time.monotonic() - full_since
                others.unlink()
        peak = process.peak()
    verdict = stream.verdict()
    assert not verdict.faults
    report(
        f"{stored} streams until the disk of {DISK_BYTES >> 20} MiB is full, the rest filled by another program;"
        f" publishing again after {recovered:.1f} s; readers before: {before}; readers during: {during};"
        f" peak {peak >> 20} MiB; {verdict}"
    )
    assert killed or not during.errors


async def test_a_moved_file_is_detected_and_used_again_when_it_is_back(
    tmp_path: Path, factor: int, report: Callable[[str], None]
) -> None:
    stream = Stream("live")
    file, elsewhere = tmp_path / "streams.db", tmp_path / "elsewhere.db"
    async with server(f"sqlite:{file}", "--log-level", "warning") as process:
        async with stream.traffic(process.address, subscribers=5):
            await stream.wait_for_progress(100)
            async with replays(process.address, stream.id) as during:
                for _ in range(3 * factor):
                    file.rename(elsewhere)
                    moved = time.monotonic()
                    refused = process.output.count("the store is unavailable")
                    await wait_until(lambda refused=refused: process.output.count("the store is unavailable") > refused)  # type: ignore[misc]
                    noticed = time.monotonic() - moved
                    elsewhere.rename(file)
                    await stream.wait_for_progress(100)
            peak = process.peak()
        assert f"{file} is gone" in process.output
    verdict = stream.verdict()
    assert not verdict.faults
    report(f"refused after {noticed:.2f} s; readers during: {during}; peak {peak >> 20} MiB; {verdict}")
    assert not during.errors


async def test_a_replaced_or_linked_file_is_refused(tmp_path: Path, report: Callable[[str], None]) -> None:
    file, elsewhere, link = tmp_path / "streams.db", tmp_path / "elsewhere.db", tmp_path / "link.db"
    async with server(f"sqlite:{file}", "--log-level", "warning") as process:
        await publish_one(process, "first")
        link.hardlink_to(file)
        await assert_refused(process)
        for path in (file, link):
            status, _, error = await run_process("serve", "--listen", "127.0.0.1:0", "--store", f"sqlite:{path}")
            assert (status, b"is open in another server" in error) == (2, True)
        link.unlink()
        await publish_one(process, "second")
        file.rename(elsewhere)
        file.write_bytes(elsewhere.read_bytes())
        for _ in range(3):
            await assert_refused(process)
        await wait_until(lambda: process.has_printed(f"{file} was replaced by another file"))
        report(f"all refused; peak {process.peak() >> 20} MiB")


async def assert_refused(process: Restartable) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await publish_one(process, "refused")
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def publish_one(process: Restartable, name: str) -> None:
    async with grpc.aio.insecure_channel(process.address, options=OPTIONS) as channel:
        await Stream(name).publish_at_once(channel, 1)
