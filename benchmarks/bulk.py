"""Compares the conversion of whole files with loops over `json` and `json_format`."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Iterable, Iterator

from google.protobuf import json_format, proto

from openresponses_grpc import from_json
from openresponses_grpc.framing import (
    EventReader,
    EventWriter,
    NDJSONReader,
    NDJSONWriter,
    ProtobufReader,
    ProtobufWriter,
)
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from .measure import Contender, compared, measure, print_table

CHUNK = 1 << 17


def convert(reader: EventReader, writer: EventWriter, chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        yield from writer.write(reader.feed(chunk))
    yield from writer.write(reader.close())
    yield writer.close()


def cut(data: bytes) -> Iterator[bytes]:
    return (data[start : start + CHUNK] for start in range(0, len(data), CHUNK))


def ndjson_to_protobuf(data: bytes) -> bytes:
    return b"".join(convert(NDJSONReader(), ProtobufWriter(), cut(data)))


def protobuf_to_ndjson(data: bytes) -> bytes:
    return b"".join(convert(ProtobufReader(), NDJSONWriter(), cut(data)))


def json_format_to_protobuf(data: bytes) -> bytes:
    output = io.BytesIO()
    for line in io.BytesIO(data):
        proto.serialize_length_prefixed(json_format.Parse(line, OpenResponsesStreamEvent()), output)
    return output.getvalue()


def json_format_to_ndjson(data: bytes) -> bytes:
    source, output = io.BytesIO(data), io.BytesIO()
    while (event := proto.parse_length_prefixed(OpenResponsesStreamEvent, source)) is not None:
        output.write(json_format.MessageToJson(event, indent=None, ensure_ascii=False).encode() + b"\n")
    return output.getvalue()


def compare(lines: list[bytes], rounds: int) -> None:
    """Measures the conversions and prints the tables."""
    ndjson = b"\n".join(lines) + b"\n"
    protobuf = ndjson_to_protobuf(ndjson)
    messages = json_format_to_ndjson(protobuf)
    values = [json.loads(line) for line in lines]
    assert json_format_to_protobuf(messages) == protobuf
    assert [from_json(line) for line in protobuf_to_ndjson(protobuf).splitlines()] == [
        from_json(line) for line in lines
    ]
    contenders: dict[str, Contender] = {
        "NDJSON to protobuf": [lambda: ndjson_to_protobuf(ndjson)],
        "json.loads of each line": [lambda: [json.loads(line) for line in io.BytesIO(ndjson)]],
        "json_format.Parse, serialize_length_prefixed": [lambda: json_format_to_protobuf(messages)],
        "protobuf to NDJSON": [lambda: protobuf_to_ndjson(protobuf)],
        "json.dumps of each value": [lambda: "\n".join(json.dumps(value) for value in values).encode()],
        "parse_length_prefixed, MessageToJson": [lambda: json_format_to_ndjson(protobuf)],
    }
    times = measure(contenders, events=len(lines), rounds=rounds)
    names = list(contenders)
    print_table(
        f"Whole files: {len(lines):,} events in chunks of {CHUNK >> 10} KiB, medians of {rounds} rounds.",
        ("job", "µs an event", "times as long"),
        [(name, *compared(times, name, names[index // 3 * 3])) for index, name in enumerate(names)],
    )
    memory(lines)


def memory(lines: list[bytes]) -> None:
    rows = []
    for count in (1_000, 10_000, 100_000):
        chunks = (b"\n".join(lines[start % len(lines) :][:100]) + b"\n" for start in range(0, count, 100))
        tracemalloc.start()
        for _ in convert(NDJSONReader(), ProtobufWriter(), chunks):
            pass
        rows.append((f"{count:,}", f"{tracemalloc.get_traced_memory()[1] / 1024:.0f} KiB"))
        tracemalloc.stop()
    print_table("A stream from NDJSON to protobuf, by its length.", ("events", "peak memory"), rows)
