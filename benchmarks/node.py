"""The bridge against the parsers that Node has for the same events."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from google.protobuf import descriptor_pb2

from openresponses.v1 import annotations_pb2, events_pb2
from openresponses_grpc import from_json, to_json

from .measure import Times, each, measure, print_table, row

BUILD = Path("build/benchmarks")
TURNS = 3


def compare(lines: list[bytes], rounds: int) -> None:
    """Prints the table, or why there is none."""
    if not (shutil.which("node") and shutil.which("npm")):
        print("\nNo comparison with Node: node and npm are not there.")
        return
    BUILD.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(__file__).parent / "node" / "package.json", BUILD)
    shutil.copy(Path(__file__).parent / "node" / "parse.mjs", BUILD)
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=BUILD, check=True)
    snake_case = [to_json(from_json(line), naming="snake_case") for line in lines]
    (BUILD / "events.ndjson").write_bytes(b"\n".join(snake_case))
    files = [descriptor_pb2.DESCRIPTOR, annotations_pb2.DESCRIPTOR, events_pb2.DESCRIPTOR]
    descriptors = b"".join(
        descriptor_pb2.FileDescriptorSet(
            file=[descriptor_pb2.FileDescriptorProto.FromString(file.serialized_pb)]
        ).SerializeToString()
        for file in files
    )
    (BUILD / "descriptors.binpb").write_bytes(descriptors)

    # Two processes cannot take turns round by round; they do so in longer turns.
    times: Times = {}
    for _ in range(TURNS):
        python = measure({"from_json": each(from_json, lines)}, events=len(lines), rounds=rounds)
        output = subprocess.run(
            ["node", "parse.mjs", "events.ndjson", "descriptors.binpb", str(rounds)],
            cwd=BUILD,
            check=True,
            capture_output=True,
        ).stdout
        for name, figures in (python | json.loads(output)).items():
            times.setdefault(name, []).extend(figures)
    print_table(
        f"One event in, against Node {_version()}: medians of {TURNS} turns of {rounds} rounds.",
        ("job", "contender", "µs an event", "times as long"),
        [row("one event in", name, times, "from_json") for name in times],
    )


def _version() -> str:
    return subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout.strip()
