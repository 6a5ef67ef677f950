"""Compares the codec with parsers in Node, on the same events."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, json_format
from google.protobuf.descriptor import FileDescriptor

from openresponses_grpc import json_to_protobuf
from openresponses_grpc.v1 import events_pb2
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from .measure import Times, compared, each, measure, print_table

BUILD = Path("build/benchmarks")
TURNS = 3
ACCEPTED = "@openrouter/sdk (npm), zod, events that it accepts"


def compare(lines: list[bytes], rounds: int) -> None:
    """Measures the parsers and prints the table, unless Node is missing."""
    if not (shutil.which("node") and shutil.which("npm")):
        print("\nSkipped the comparison with Node: node or npm is not installed.")
        return
    _prepare(lines)
    accepted = [lines[index] for index in _node("accepted")]
    contenders = {"all": each(json_to_protobuf, lines), "accepted": each(json_to_protobuf, accepted)}

    # Two processes cannot take turns in each round, so they take longer turns.
    times: Times = {}
    for _ in range(TURNS):
        python = measure({"all": contenders["all"]}, events=len(lines), rounds=rounds)
        python |= measure({"accepted": contenders["accepted"]}, events=len(accepted), rounds=rounds)
        for name, figures in (python | _node("times", str(rounds))).items():
            times.setdefault(name, []).extend(figures)
    rows = []
    for name in sorted(times.keys() - contenders.keys()):
        ours, count = ("accepted", len(accepted)) if name == ACCEPTED else ("all", len(lines))
        rows.append((name, f"{count:,}", *compared(times, name, ours)))
    version = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout.strip()
    print_table(
        f"In Node {version}: {len(lines):,} events (one in ten), medians of {TURNS} turns of {rounds} rounds, against "
        "json_to_protobuf in Python on the same events.",
        ("contender", "events", "µs an event", "against json_to_protobuf"),
        rows,
    )


def _node(*arguments: str) -> Any:
    command = ["node", "parse.mjs", *arguments]
    return json.loads(subprocess.run(command, cwd=BUILD, check=True, stdout=subprocess.PIPE).stdout)


def _prepare(lines: list[bytes]) -> None:
    """Installs the Node packages and writes the input of `parse.mjs`: events in three encodings, and the contract."""
    BUILD.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "parse.mjs"):
        shutil.copy(Path(__file__).parent / "node" / name, BUILD)
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=BUILD, check=True)
    (BUILD / "events.ndjson").write_bytes(b"\n".join(lines))
    messages = [OpenResponsesStreamEvent.FromString(json_to_protobuf(line)) for line in lines]
    # Python's descriptors lack the camelCase names, so protobuf-es could not read ProtoJSON that uses them.
    text_of = partial(json_format.MessageToJson, indent=None, ensure_ascii=False, preserving_proto_field_name=True)
    texts = [text_of(message) for message in messages]
    (BUILD / "messages.ndjson").write_text("\n".join(texts), encoding="utf-8")
    serialized = [message.SerializeToString().hex() for message in messages]
    (BUILD / "messages.hex").write_text("\n".join(serialized), encoding="utf-8")
    files = {file.name: file for file in _with_imports([events_pb2.DESCRIPTOR])}
    descriptors = descriptor_pb2.FileDescriptorSet(
        file=[descriptor_pb2.FileDescriptorProto.FromString(file.serialized_pb) for file in files.values()]
    )
    (BUILD / "descriptors.binpb").write_bytes(descriptors.SerializeToString())


def _with_imports(files: Iterable[FileDescriptor]) -> Iterable[FileDescriptor]:
    """Yields the files, each after its imports."""
    for file in files:
        yield from _with_imports(file.dependencies)
        yield file
