"""Measures the memory of Python's objects."""

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def traced() -> Iterator[Callable[[], int]]:
    """Yields a function that returns by how many bytes the memory has grown at most."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    peak = before
    try:
        yield lambda: peak - before
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
