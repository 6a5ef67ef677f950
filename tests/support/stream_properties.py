"""Properties of readers and writers for arbitrary input. Exceptions of the library other than EventError propagate."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Sequence
from functools import partial

from google.protobuf.message import DecodeError

from openresponses_grpc import EventError, json_to_protobuf, protobuf_to_json, to_dict
from openresponses_grpc.codec._schema import NAMINGS, Naming
from openresponses_grpc.framing import FORMATS, read_events
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent


def read(name: str, chunks: Iterable[bytes], strict: bool = False) -> tuple[list[bytes], str]:
    """Reads a stream; returns the events, and the error or the end with its position."""
    reader = FORMATS[name].reader(partial(json_to_protobuf, strict=strict))
    events: list[bytes] = []
    try:
        events.extend(read_events(reader, chunks))  # the events before an error stay in the list
    except EventError as error:
        return events, f"{type(error).__name__} at {reader.position}: {error}"
    return events, f"the end at {reader.position}"


def write(name: str, naming: Naming, events: Iterable[bytes]) -> tuple[bytes, str]:
    """Writes events up to the first one that the writer rejects; returns the bytes and the error."""
    parts: list[bytes] = []
    try:
        parts.extend(FORMATS[name].writer(partial(protobuf_to_json, naming=naming)).write(events))
    except EventError as error:
        return b"".join(parts), str(error)
    return b"".join(parts), ""


def check_json(data: bytes, strict: bool) -> None:
    """Checks that JSON is parsed or rejected, and that a parsed event can be serialized."""
    try:
        event = json_to_protobuf(data, strict=strict)
    except EventError:
        return
    for naming in NAMINGS:
        protobuf_to_json(event, naming=naming)
    check_writing([event])


def check_protobuf(data: bytes) -> None:
    """Checks that bytes convert to the JSON of the message that protobuf parses from them, or are rejected."""
    for naming in NAMINGS:
        expected = json = None
        with contextlib.suppress(EventError, DecodeError):
            message = OpenResponsesStreamEvent.FromString(data)
            expected = protobuf_to_json(message.SerializeToString(deterministic=True), naming=naming)
        with contextlib.suppress(EventError):
            json = protobuf_to_json(data, naming=naming)
        assert json == expected


def check_stream(name: str, chunks: Sequence[bytes], strict: bool = False) -> list[bytes]:
    """Checks that the events and the error do not depend on chunks; returns the events."""
    events, end = read(name, chunks, strict)
    assert (events, end) == read(name, [b"".join(chunks)], strict)
    check_writing(events)
    return events


def check_writing(events: Sequence[bytes]) -> None:
    """Checks that every writer writes or rejects each event, and that its output round-trips unchanged."""
    events = list(dict.fromkeys(events))
    for name, naming in itertools.product(FORMATS, NAMINGS):
        each = [write(name, naming, [event]) for event in events]
        rejected = next((i for i, (_, error) in enumerate(each) if error), len(each))
        together = b"".join(data for data, _ in each[:rejected])
        assert write(name, naming, events) == (together, each[rejected][1] if rejected < len(each) else "")
        written = [data for data, error in each if not error]
        assert _again(name, naming, b"".join(written), len(written)) == b"".join(written)
    for event in events:
        with contextlib.suppress(EventError):
            to_dict(OpenResponsesStreamEvent.FromString(event))


def _again(name: str, naming: Naming, written: bytes, count: int) -> bytes:
    events, end = read(name, [written])
    assert (len(events), end[:7]) == (count, "the end")
    again, error = write(name, naming, events)
    assert not error
    return again
