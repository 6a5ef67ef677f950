"""Measures the memory of Python objects."""

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def traced() -> Iterator[Callable[[], int]]:
    """Yields a function that returns the peak growth of memory during the context, in bytes."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    peak = before
    try:
        yield lambda: peak - before
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
