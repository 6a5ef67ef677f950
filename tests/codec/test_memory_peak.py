"""Peak memory is proportional to one event, however many events follow. Each measurement runs in its own process."""

import gc
import multiprocessing
import sys
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import pytest

from openresponses_grpc import from_json, json_to_protobuf, protobuf_to_json
from openresponses_grpc.framing import FORMATS, NDJSONWriter, read_events

from ..support.damage import varint
from ..support.events import GENERATING_JSON

MIB = 1 << 20
LARGE = 64 * MIB


def halves(json: bytes) -> tuple[bytes, bytes]:
    before, _, after = json.partition(b"<id>")
    return before, after


# JSON before and after a large string, and the memory limit for reading it, including the input, as a multiple of its
# size. Python stores strings that contain an emoji with four bytes per character.
TEXTS: dict[str, tuple[bytes, bytes, int]] = {
    "a field": (*halves(GENERATING_JSON), 6),
    "a field with an emoji": (*halves(GENERATING_JSON.replace(b"<id>", "😀<id>".encode())), 8),
    "an unknown property": (GENERATING_JSON[:-1] + b',"size":{"x":"', b'"}}', 8),
    "an output item": (
        b'{"type":"response.output_item.done","item":{"type":"function_call","arguments":"',
        b'","x":null}}',
        8,
    ),
    "an unrecognized event": (b'{"type":"x","y":"', b'"}', 8),
    "an unrecognized event with an emoji": ('{"type":"x","y":"😀'.encode(), b'"}', 16),
    "an event with many brackets": (b'{"type":"x","z":"%b","y":"' % (b"[" * 200), b'"}', 8),
}

formats = pytest.mark.parametrize("name", FORMATS)


def large_text(before: bytes, after: bytes, repeated: bytes = b"x") -> Iterator[bytes]:
    """Yields a string of 64 MiB between two texts, one piece at a time."""
    yield before
    for _ in range(LARGE >> 16):
        yield bytes(bytearray(repeated) * ((1 << 16) // len(repeated)))
    yield after


def large_event(name: str) -> Iterator[bytes]:
    """Yields an event with a string of 64 MiB in a format."""
    before, after, _ = TEXTS["a field"]
    if name == "protobuf":
        field = b"\x0a" + varint(LARGE)
        message = b"\x0a" + varint(len(field) + LARGE) + field
        before, after = varint(len(message) + LARGE) + message, b""
    elif name == "sse":
        before, after = b"data: " + before, after + b"\n\n"
    else:
        after += b"\n"
    return large_text(before, after)


def small_events(name: str) -> Iterator[bytes]:
    """Yields 20,000 events of about a kilobyte, in chunks that are not aligned with events."""
    event = json_to_protobuf(GENERATING_JSON.replace(b"<id>", b"x" * 1000))
    hundred = b"".join(FORMATS[name].writer(protobuf_to_json).write([event] * 100))
    for _ in range(200):
        for start in range(0, len(hundred), 4096):
            yield hundred[start : start + 4096]


def read_stream(pieces: Callable[[str], Iterable[bytes]], name: str) -> int:
    return sum(1 for _ in read_events(FORMATS[name].reader(json_to_protobuf), pieces(name)))


def read_json(name: str, repeated: bytes, strict: bool) -> int:
    before, after, _ = TEXTS[name]
    return len(json_to_protobuf(b"".join(large_text(before, after, repeated)), strict=strict))


def write_json() -> int:
    event = from_json(GENERATING_JSON)
    event.image_generation_call_generating.item_id = "x" * LARGE
    return len(b"".join(NDJSONWriter().write([event.SerializeToString()])))


def read_unknown_properties() -> int:
    """Reads events with 200 unknown properties; returns the bytes that the second half of the names occupies."""
    for number in range(200):
        if number == 100:
            tracemalloc.start()
        text = b'{"type":"response.output_text.delta","delta":"x","unknown_%d":1}' % number
        for _ in range(3):
            json_to_protobuf(text)
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def growth(task: Callable[[], int]) -> tuple[int, int]:
    """Runs the first task of this process; returns its result and the peak growth of memory in bytes."""
    import resource

    def peak() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

    before = peak()
    return task(), peak() - before


def growth_in_a_process(task: Callable[[], int]) -> tuple[int, int]:
    # The server is small: the peak of a process includes that of its parent.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["hypothesis", "openresponses_grpc.codec", "pytest"])  # for speed
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(growth, task).result()


needs_forkserver = pytest.mark.skipif(sys.platform == "win32", reason="requires fork and getrusage")


@needs_forkserver
@formats
def test_memory_of_reading_64_mib_event_is_proportional(name: str) -> None:
    count, memory = growth_in_a_process(partial(read_stream, large_event, name))
    assert count == 1
    assert memory < 6 * LARGE


@needs_forkserver
@pytest.mark.parametrize(
    "name, repeated, strict",
    [
        *((name, b"x", False) for name in TEXTS),
        ("an event with many brackets", b'\\"', False),
        ("a field", b"x", True),
        ("an unknown property", b"x", True),
    ],
)
def test_memory_of_parsing_64_mib_json_is_proportional(name: str, repeated: bytes, strict: bool) -> None:
    size, memory = growth_in_a_process(partial(read_json, name, repeated, strict))
    assert size > LARGE
    assert memory < TEXTS[name][2] * LARGE


@needs_forkserver
def test_memory_of_writing_64_mib_json_is_proportional() -> None:
    size, memory = growth_in_a_process(write_json)
    assert size > LARGE
    assert memory < 6 * LARGE


@needs_forkserver
def test_cache_of_unknown_names_is_bounded() -> None:
    # The codec caches the names of repeated unknown properties, up to a limit.
    memory, _ = growth_in_a_process(read_unknown_properties)
    assert memory < 64 << 10


@needs_forkserver
@formats
def test_consumed_events_are_freed(name: str) -> None:
    count, memory = growth_in_a_process(partial(read_stream, small_events, name))
    assert count == 20_000
    assert memory < 4 * MIB
