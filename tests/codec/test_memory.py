"""The memory of readers is proportional to one event, for any chunk sizes. `test_memory_peak` tests large events."""

import tracemalloc
from collections.abc import Iterator

import pytest

from openresponses_grpc import from_json, json_to_protobuf, protobuf_to_json, to_json
from openresponses_grpc.framing import FORMATS, EventReader

from ..support.events import GENERATING_JSON
from ..support.memory import traced

MIB = 1 << 20

formats = pytest.mark.parametrize("name", FORMATS)


def reader_of(name: str) -> EventReader:
    return FORMATS[name].reader(json_to_protobuf)


def stream_of(name: str, length: int, size: int) -> Iterator[bytes]:
    """Yields an event with a string of `length` bytes, in chunks of `size` bytes."""
    event = json_to_protobuf(GENERATING_JSON.replace(b"<id>", b"x" * length))
    data = b"".join(FORMATS[name].writer(protobuf_to_json).write([event]))
    for start in range(0, len(data), size):
        yield data[start : start + size]


@formats
def test_chunks_do_not_copy_the_buffered_event(name: str) -> None:
    # Copies would take time quadratic in the size of the event.
    reader = reader_of(name)
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
def test_memory_of_event_in_tiny_chunks_is_proportional(name: str) -> None:
    reader = reader_of(name)
    pieces = stream_of(name, 30_000, size=2)
    with traced() as memory:
        assert sum(len(list(reader.feed(piece))) for piece in pieces) == 1
    assert memory() < 300_000


@formats
def test_empty_chunks_allocate_no_memory(name: str) -> None:
    reader = reader_of(name)
    with traced() as memory:
        for _ in range(5_000):
            assert list(reader.feed(b"")) == []
    assert memory() < 16 << 10


def test_large_json_text_is_not_cached() -> None:
    event = from_json('{"type":"response.output_text.delta"}')
    with traced() as memory:
        for number in range(20):
            event.output_text_delta.extra_json = '{"output_index":null%s}' % (" " * (MIB + number))
            assert to_json(event) == b'{"type":"response.output_text.delta","outputIndex":null}'
    assert memory() < 12 * MIB
