"""The bridge against protobuf's `json_format`, against Node, and against the floor that its parts set.

Run with `make bench`. All contenders of a table take turns in one run over the same events; the figures are medians.
"""

from __future__ import annotations

import io
import json
import os
import platform
import tracemalloc
from collections.abc import Iterable, Iterator

import orjson
from google.protobuf import json_format, proto

from openresponses.v1 import annotations_pb2
from openresponses.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc import from_json, to_json
from openresponses_grpc.framing import FORMATS, transcode

from . import events, node
from .measure import each, measure, print_table, row

COUNT = 10_000
ROUNDS = 15
CHUNK = 1 << 17

LINES = events.lines(COUNT)
NDJSON = b"\n".join(LINES) + b"\n"
EVENTS = [from_json(line, strict=True) for line in LINES]
BYTES = [event.SerializeToString() for event in EVENTS]

TYPES = {
    arm.name: arm.message_type.GetOptions().Extensions[annotations_pb2.event_type]
    for arm in OpenResponsesStreamEvent.DESCRIPTOR.oneofs_by_name["event"].fields
    if arm.message_type
}
ARMS = {type_name: arm for arm, type_name in TYPES.items()}


def json_format_from(line: bytes) -> OpenResponsesStreamEvent:
    properties = json.loads(line)
    event = OpenResponsesStreamEvent()
    json_format.ParseDict(properties, getattr(event, ARMS[properties.pop("type")]))
    return event


def json_format_to(event: OpenResponsesStreamEvent) -> bytes:
    arm = event.WhichOneof("event")
    assert arm
    text = json_format.MessageToJson(getattr(event, arm), indent=None, ensure_ascii=False)
    return f'{{"type":"{TYPES[arm]}",{text[1:]}'.encode()


def json_format_lines_from() -> bytes:
    output = io.BytesIO()
    for line in io.BytesIO(NDJSON):
        proto.serialize_length_prefixed(json_format_from(line), output)
    return output.getvalue()


def json_format_lines_to() -> bytes:
    source, output = io.BytesIO(PROTOBUF), io.BytesIO()
    while (event := proto.parse_length_prefixed(OpenResponsesStreamEvent, source)) is not None:
        output.write(json_format_to(event) + b"\n")
    return output.getvalue()


def convert(source: str, target: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    reader, writer = FORMATS[source].reader("camelCase", True), FORMATS[target].writer("camelCase")
    for chunk in chunks:
        yield from transcode(reader, writer, chunk)
    yield from writer.write(reader.close())
    yield writer.close()


def cut(data: bytes) -> Iterator[bytes]:
    return (data[start : start + CHUNK] for start in range(0, len(data), CHUNK))


PROTOBUF = b"".join(convert("ndjson", "protobuf", cut(NDJSON)))
assert json_format_lines_from() == PROTOBUF
assert b"".join(convert("protobuf", "ndjson", cut(PROTOBUF))) == NDJSON


def speed() -> None:
    times = measure(
        {
            "from_json": each(from_json, LINES),
            "json_format.ParseDict": each(json_format_from, LINES),
            "orjson.loads and FromString": [
                *each(orjson.loads, LINES),
                *each(OpenResponsesStreamEvent.FromString, BYTES),
            ],
            "to_json": each(to_json, EVENTS),
            "json_format.MessageToJson": each(json_format_to, EVENTS),
            "SerializeToString": each(OpenResponsesStreamEvent.SerializeToString, EVENTS),
            "NDJSON to protobuf": [lambda: b"".join(convert("ndjson", "protobuf", cut(NDJSON)))],
            "ParseDict and serialize_length_prefixed": [json_format_lines_from],
            "protobuf to NDJSON": [lambda: b"".join(convert("protobuf", "ndjson", cut(PROTOBUF)))],
            "parse_length_prefixed and MessageToJson": [json_format_lines_to],
        },
        events=COUNT,
        rounds=ROUNDS,
    )
    names = list(times)
    print_table(
        f"The bridge: {COUNT:,} events, medians of {ROUNDS} rounds.",
        ("job", "contender", "µs an event", "times as long"),
        [
            *(row("one event in", name, times, names[0]) for name in names[:3]),
            *(row("one event out", name, times, names[3]) for name in names[3:6]),
            *(row("a stream in", name, times, names[6]) for name in names[6:8]),
            *(row("a stream out", name, times, names[8]) for name in names[8:]),
        ],
    )


def wire() -> None:
    sizes = {name: sum(map(len, convert("ndjson", name, cut(NDJSON)))) for name in FORMATS}
    print_table(
        f"Bytes of the same {COUNT:,} events.",
        ("format", "bytes an event", "of NDJSON"),
        [(name, f"{size / COUNT:.0f}", f"{size / sizes['ndjson']:.0%}") for name, size in sizes.items()],
    )


def growth() -> None:
    rows = []
    for count in (100, 1_000, 10_000, 100_000, 1_000_000):
        repeat = max(1, 10_000 // count)
        data = b"\n".join(LINES[: min(count, COUNT)]) + b"\n"

        def stream(data: bytes = data, times: int = max(1, count // COUNT), repeat: int = repeat) -> None:
            for _ in range(repeat):
                for _ in convert("ndjson", "protobuf", (chunk for _ in range(times) for chunk in cut(data))):
                    pass

        times = measure({"stream": [stream]}, events=count * repeat, rounds=3)
        tracemalloc.start()
        stream(repeat=1)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        rows.append((f"{count:,}", f"{min(times['stream']):.2f}", f"{peak / 1024:.0f} KiB"))
    print_table("A stream from NDJSON to protobuf, by its length.", ("events", "µs an event", "peak memory"), rows)


if __name__ == "__main__":
    print(f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}")
    speed()
    node.compare(LINES, ROUNDS)
    wire()
    growth()
