"""Measures contenders in one run and prints tables."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

Times = dict[str, list[float]]
"""Microseconds per event in each round, by contender."""

Contender = Sequence[Callable[[], object]]
"""The work of a contender, in parts."""

Row = tuple[str, ...]

PART = 1_000
"""Events per part. They fit into the CPU's caches, where an event that has just arrived would be."""

_Value = TypeVar("_Value")


def measure(contenders: Mapping[str, Contender], *, events: int, rounds: int) -> Times:
    """Measures contenders that take turns in each round, so that a slowdown of the machine affects all of them.

    Each part runs twice, and only the second run counts. Otherwise the first contender would pay for loading the events
    into the caches.
    """
    times: Times = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, parts in contenders.items():
            gc.collect()
            seconds = 0.0
            for part in parts:
                part()
                start = time.perf_counter()
                part()
                seconds += time.perf_counter() - start
            times[name].append(seconds / events * 1e6)
    return times


def each(function: Callable[[_Value], object], values: Sequence[_Value]) -> Contender:
    """Returns a contender that calls a function with each value."""

    def run(part: Sequence[_Value]) -> None:
        for value in part:
            function(value)

    return [partial(run, values[start : start + PART]) for start in range(0, len(values), PART)]


def ratio(slower: list[float], faster: list[float]) -> float:
    """Returns the median ratio of the times of two contenders."""
    return statistics.median(a / b for a, b in zip(slower, faster, strict=True))


def compared(times: Times, name: str, *others: str) -> Row:
    """Returns a contender's median time, and its ratio to each of the others."""
    ratios = (f"{ratio(times[name], times[other]):.2f}" for other in others)
    return f"{statistics.median(times[name]):.2f}", *ratios


def print_table(title: str, header: Row, rows: Sequence[Row]) -> None:
    """Prints a Markdown table with aligned columns."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    print(f"\n{title}\n")
    for cells in (header, tuple("-" * width for width in widths), *rows):
        print(
            "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |", flush=True
        )
