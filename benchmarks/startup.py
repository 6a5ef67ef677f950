"""Measures the startup time of processes that import the package or run the command."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from .measure import print_table

EVENT = """b'{"type":"response.output_text.delta","delta":"a"}'"""
# The package imports its modules on first use, and the codec compiles its functions on first use.
SCRIPTS = {
    "nothing": "pass",
    "import grpc": "import grpc",
    "import openresponses_grpc": "import openresponses_grpc",
    "from openresponses_grpc import from_json": "from openresponses_grpc import from_json",
    "the same, and one event in and out": (
        f"from openresponses_grpc import from_json, to_json; to_json(from_json({EVENT}))"
    ),
    "from openresponses_grpc import AsyncEventStreamClient": "from openresponses_grpc import AsyncEventStreamClient",
}
PROCESSES = {name: [sys.executable, "-c", script] for name, script in SCRIPTS.items()} | {
    "openresponses --version": [str(Path(sys.executable).with_name("openresponses")), "--version"],
}


def compare(rounds: int) -> None:
    """Measures the processes and prints the table."""
    times: dict[str, list[float]] = {name: [] for name in PROCESSES}
    for _ in range(rounds):
        for name, command in PROCESSES.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            times[name].append((time.perf_counter() - start) * 1e3)
    grpc = times["import grpc"]
    print_table(
        f"Whole processes, from start to exit: medians of {rounds} rounds.",
        ("process", "ms", "times as long as import grpc"),
        [
            (
                name,
                f"{statistics.median(taken):.0f}",
                f"{statistics.median(a / b for a, b in zip(taken, grpc, strict=True)):.2f}",
            )
            for name, taken in times.items()
        ],
    )
