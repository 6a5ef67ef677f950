"""Measures how many events of recorded streams are typed and unchanged, how small they become, and how fast.

Run it with `python -m benchmarks.streams.share FILE...`. The files are NDJSON, in either spelling.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from openresponses_grpc import json_to_protobuf, protobuf_to_json
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from ..measure import Row, print_table

ROUNDS = 21


def naming_of(value: dict[str, object]) -> Literal["camelCase", "snake_case"]:
    """Returns the spelling of an event, judged by `sequenceNumber`, which nearly all events have."""
    return "camelCase" if "sequenceNumber" in value else "snake_case"


def canonical(text: bytes) -> str:
    """Returns a canonical form of JSON: `1.0` and `1` are the same number, `1` and `true` are different values."""

    def number(digits: str) -> float | int:
        return float(digits) if abs(int(digits)) <= 1 << 53 else int(digits)

    return json.dumps(json.loads(text, parse_int=number), sort_keys=True)


def round_trip(line: bytes) -> bytes:
    """Converts an event to protobuf and back to JSON."""
    return protobuf_to_json(json_to_protobuf(line), naming=naming_of(json.loads(line)))


def seconds(function: Callable[..., object], values: Sequence[object]) -> float:
    start = time.perf_counter()
    for value in values:
        function(value)
    return time.perf_counter() - start


def row(name: str, lines: list[bytes]) -> Row:
    values = [json.loads(line) for line in lines]
    protobuf = [json_to_protobuf(line) for line in lines]
    messages = [OpenResponsesStreamEvent.FromString(data) for data in protobuf]
    typed = sum(message.WhichOneof("kind") != "unrecognized" for message in messages)
    changed = sum(canonical(round_trip(line)) != canonical(line) for line in lines)
    compact = sum(len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) for value in values)
    ratios: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        read = seconds(json_to_protobuf, lines) / seconds(json.loads, lines)
        write = seconds(protobuf_to_json, protobuf) / seconds(json.dumps, values)
        ratios.append((read, write))
    read, write = (statistics.median(ratio) for ratio in zip(*ratios, strict=True))
    return (
        name,
        f"{len(lines):,}",
        f"{typed / len(lines):.1%}",
        str(changed),
        f"{sum(map(len, protobuf)) / compact:.1%}",
        f"{read:.2f}",
        f"{write:.2f}",
    )


def main(paths: list[str]) -> None:
    files = {path: [line for line in Path(path).read_bytes().splitlines() if line.strip()] for path in paths}
    rows = [row(Path(path).stem, lines) for path, lines in files.items() if lines]
    if len(rows) > 1:
        rows.append(row("all", [line for lines in files.values() for line in lines]))
    print_table(
        f"Times are ratios, medians of {ROUNDS} rounds; bytes are those of the events without their framing.",
        ("stream", "events", "typed", "changed", "bytes of JSON", "in / json.loads", "out / json.dumps"),
        rows,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
