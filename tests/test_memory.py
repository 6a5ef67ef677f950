"""Readers take memory in proportion to one event, not to the stream, however it is cut."""

import multiprocessing
import sys
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest

from openresponses_grpc import from_json
from openresponses_grpc.framing import FORMATS, read_events

from .events import GENERATING_JSON
from .test_robustness import formats, traced, varint

MIB = 1 << 20
LARGE = 64 * MIB


def large_event(name: str) -> Iterator[bytes]:
    """An event with a string of 64 MiB, of which not more than a piece is there at a time."""
    text = GENERATING_JSON if name != "sse" else b"data: " + GENERATING_JSON
    before, _, after = text.partition(b"<id>")
    if name == "protobuf":
        field = b"\x0a" + varint(LARGE)
        message = b"\x0a" + varint(len(field) + LARGE) + field
        before, after = varint(len(message) + LARGE) + message, b""
    yield before
    for _ in range(LARGE >> 16):
        yield bytes(bytearray(b"x") * (1 << 16))
    yield after + (b"" if name == "protobuf" else b"\n\n")


def small_events(name: str) -> Iterator[bytes]:
    """20,000 events of about a kilobyte, in pieces that do not end where events end."""
    event = from_json(GENERATING_JSON.replace(b"<id>", b"x" * 1000))
    hundred = b"".join(FORMATS[name].writer("camelCase").write([event] * 100))
    for _ in range(200):
        for start in range(0, len(hundred), 4096):
            yield hundred[start : start + 4096]


def growth(pieces: Callable[[str], Iterable[bytes]], name: str) -> tuple[int, int]:
    """Reads in this process, of which it is the first task; says how many events, and how far the memory grew."""
    import resource

    def peak() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

    before = peak()
    if name == "json":
        from_json(b"".join(pieces(name)), strict=True)
        return 1, peak() - before
    reader = FORMATS[name].reader("camelCase", True)
    return sum(1 for _ in read_events(reader, pieces(name))), peak() - before


def growth_in_a_process(pieces: Callable[[str], Iterable[bytes]], name: str) -> tuple[int, int]:
    # Forked from a small server: what a process is started from counts as its peak.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["hypothesis", "openresponses_grpc", "pytest"])  # for speed
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(growth, pieces, name).result()


needs_forkserver = pytest.mark.skipif(sys.platform == "win32", reason="has neither forks nor the peak of a process")


@needs_forkserver
@pytest.mark.parametrize("name", ["json", *FORMATS])
def test_string_of_64_mib_takes_memory_in_proportion(name: str) -> None:
    count, memory = growth_in_a_process(large_event, name)
    assert count == 1
    assert memory < 6 * LARGE


@needs_forkserver
@formats
def test_events_that_are_dropped_take_no_memory(name: str) -> None:
    count, memory = growth_in_a_process(small_events, name)
    assert count == 20_000
    assert memory < 4 * MIB


@formats
def test_bytes_of_an_event_are_not_copied_with_every_further_chunk(name: str) -> None:
    # That would be time that grows with the square of the event's size.
    reader = FORMATS[name].reader("camelCase", True)
    *first, last = stream_of(name, MIB, size=1024)
    allocated = 0
    tracemalloc.start()
    try:
        for chunk in first:
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            assert list(reader.feed(chunk)) == []
            allocated += tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert allocated < 4 * MIB
    assert len(list(reader.feed(last))) == 1


@formats
def test_event_in_tiny_chunks_takes_memory_in_proportion(name: str) -> None:
    reader = FORMATS[name].reader("camelCase", True)
    pieces = stream_of(name, 30_000, size=2)
    with traced() as memory:
        assert sum(len(list(reader.feed(piece))) for piece in pieces) == 1
    assert memory() < 300_000


@formats
def test_empty_chunks_take_no_memory(name: str) -> None:
    reader = FORMATS[name].reader("camelCase", True)
    with traced() as memory:
        for _ in range(5_000):
            assert list(reader.feed(b"")) == []
    assert memory() < 16 << 10


def stream_of(name: str, length: int, size: int) -> Iterator[bytes]:
    """An event with a string of this length, in chunks of this size."""
    event = from_json(GENERATING_JSON.replace(b"<id>", b"x" * length))
    data = b"".join(FORMATS[name].writer("camelCase").write([event]))
    for start in range(0, len(data), size):
        yield data[start : start + size]
