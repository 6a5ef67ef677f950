"""Compares the codec with the parsers of the Python SDKs, each on the events that it accepts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from openai._models import construct_type
from openai.types.responses import ResponseStreamEvent
from openrouter.components import OpenResponsesStreamEvent
from openrouter.utils import unmarshal_json
from pydantic import TypeAdapter

from openresponses_grpc import from_json, json_to_protobuf

from .measure import Row, compared, each, measure, print_table

_adapter: TypeAdapter[object] = TypeAdapter(OpenResponsesStreamEvent)

PARSERS: Mapping[str, Callable[[bytes], object]] = {
    "openai-python, as its streaming reads: json.loads, construct_type": lambda line: construct_type(
        type_=ResponseStreamEvent, value=json.loads(line)
    ),
    "openrouter (PyPI), as its streaming reads: unmarshal_json": lambda line: unmarshal_json(
        line, OpenResponsesStreamEvent
    ),
    "openrouter (PyPI), its types in one pydantic TypeAdapter": _adapter.validate_json,
}


def accepted(parse: Callable[[bytes], object], lines: list[bytes]) -> list[bytes]:
    """Returns the lines that a parser accepts."""

    def fits(line: bytes) -> bool:
        try:
            parse(line)
        except ValueError:
            return False
        return True

    return [line for line in lines if fits(line)]


def compare(lines: list[bytes], rounds: int) -> None:
    """Measures the parsers and prints the table."""
    rows: list[Row] = []
    for name, parse in PARSERS.items():
        some = accepted(parse, lines)
        contenders = {
            "json_to_protobuf": each(json_to_protobuf, some),
            "from_json": each(from_json, some),
            name: each(parse, some),
        }
        times = measure(contenders, events=len(some), rounds=rounds)
        rows.append((name, f"{len(some) / len(lines):.0%}", *compared(times, name, "json_to_protobuf", "from_json")))
    print_table(
        f"JSON in, against the SDKs' parsers: {len(lines):,} events (one in ten), medians of {rounds} rounds. Each "
        "parser works on the events that it accepts, and so do json_to_protobuf and from_json beside it.",
        ("parser", "accepts", "µs an event", "against json_to_protobuf", "against from_json"),
        rows,
    )
