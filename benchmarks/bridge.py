"""Compares the codec with `json`, protobuf's `json_format` and the parsers of the SDKs. Run it with `make bench`.

The events come from benchmarks/streams. The contenders of a table take turns in one run over the same events; the
figures are medians.
"""

from __future__ import annotations

import gzip
import json
import os
import platform

from google.protobuf import json_format

from openresponses_grpc import from_json, json_to_protobuf, protobuf_to_json, to_json
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from . import bulk, events, node, parsers, startup
from .measure import Contender, compared, each, measure, print_table

ROUNDS = 7

LINES = events.lines()
PROTOBUF = [json_to_protobuf(line) for line in LINES]


def json_format_from(text: str) -> OpenResponsesStreamEvent:
    return json_format.Parse(text, OpenResponsesStreamEvent())


def json_format_to(event: OpenResponsesStreamEvent) -> str:
    return json_format.MessageToJson(event, indent=None, ensure_ascii=False)


def speed() -> None:
    messages = [OpenResponsesStreamEvent.FromString(data) for data in PROTOBUF]
    values = [json.loads(line) for line in LINES]
    compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    readers = {
        "json.loads": each(json.loads, LINES),
        "json_to_protobuf": each(json_to_protobuf, LINES),
        "from_json": each(from_json, LINES),
        # json_format cannot read the API's JSON, so it reads the same messages as ProtoJSON.
        "json_format.Parse of MessageToJson": each(json_format_from, [json_format_to(message) for message in messages]),
    }
    writers = {
        "json.dumps": each(json.dumps, values),
        "json.dumps, compact, without escapes": each(compact, values),
        "protobuf_to_json": each(protobuf_to_json, PROTOBUF),
        "to_json": each(to_json, messages),
        "json_format.MessageToJson": each(json_format_to, messages),
    }
    for way, contenders in (("in", readers), ("out", writers)):
        times = measure(contenders, events=len(LINES), rounds=ROUNDS)
        first, ours = next(iter(contenders)), "json_to_protobuf" if way == "in" else "protobuf_to_json"
        print_table(
            f"JSON {way}: {len(LINES):,} events, medians of {ROUNDS} rounds.",
            ("contender", "µs an event", f"against {first}", f"against {ours}"),
            [(name, *compared(times, name, first, ours)) for name in contenders],
        )


def unknown_property() -> None:
    without = [line for line in LINES if line.startswith(b'{"type":"response.output_text.delta"')][:1_000]
    lines = {"without": without, "with": [line[:-1] + b',"x_trace":"tr_8f14e45f"}' for line in without]}
    contenders: dict[str, Contender] = {}
    for name, some in lines.items():
        protobuf = [json_to_protobuf(line) for line in some]
        contenders |= {
            f"json_to_protobuf {name}": each(json_to_protobuf, some),
            f"from_json {name}": each(from_json, some),
            f"protobuf_to_json {name}": each(protobuf_to_json, protobuf),
            f"to_json {name}": each(to_json, [OpenResponsesStreamEvent.FromString(data) for data in protobuf]),
        }
    times = measure(contenders, events=len(without), rounds=ROUNDS)
    rows = []
    for function in ("json_to_protobuf", "from_json", "protobuf_to_json", "to_json"):
        plain, extended = f"{function} without", f"{function} with"
        rows.append((function, *compared(times, plain), *compared(times, extended, plain)))
    print_table(
        f"One unknown property on a text delta: {len(without):,} events, medians of {ROUNDS} rounds.",
        ("function", "µs without", "µs with", "times as long"),
        rows,
    )


def sizes() -> None:
    def zipped(streams: list[bytes]) -> int:
        """Returns the compressed size, with each stream compressed separately, as HTTP and gRPC do."""
        return sum(len(gzip.compress(stream, mtime=0)) for stream in streams)

    ndjson = list(events.streams().values())
    protobuf = [bulk.ndjson_to_protobuf(stream) for stream in ndjson]
    size = {"NDJSON": (sum(map(len, ndjson)), zipped(ndjson)), "protobuf": (sum(map(len, protobuf)), zipped(protobuf))}
    json_plain, json_zipped = size["NDJSON"]
    print_table(
        f"Bytes of {len(ndjson)} streams, {len(LINES):,} events, as files; the JSON is compact.",
        ("format", "bytes an event", "of NDJSON", "with gzip", "of NDJSON with gzip"),
        [
            (
                name,
                f"{plain / len(LINES):.1f}",
                f"{plain / json_plain:.1%}",
                f"{small / len(LINES):.1f}",
                f"{small / json_zipped:.1%}",
            )
            for name, (plain, small) in size.items()
        ],
    )


if __name__ == "__main__":
    print(f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}")
    speed()
    parsers.compare(LINES[::10], ROUNDS)
    node.compare(LINES[::10], ROUNDS)
    bulk.compare(LINES, ROUNDS)
    sizes()
    unknown_property()
    startup.compare(2 * ROUNDS + 1)
