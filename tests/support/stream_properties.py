"""Properties that hold for any bytes that a reader gets. These functions let no exception pass but EventError."""

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
    """Reads a stream; returns the events and how the stream ends: with which error, and where."""
    reader = FORMATS[name].reader(partial(json_to_protobuf, strict=strict))
    events: list[bytes] = []
    try:
        events.extend(read_events(reader, chunks))  # the events before an error stay in the list
    except EventError as error:
        return events, f"{type(error).__name__} at {reader.position}: {error}"
    return events, f"the end at {reader.position}"


def write(name: str, naming: Naming, events: Iterable[bytes]) -> tuple[bytes, str]:
    """Writes the events before the first one that the writer refuses; returns the bytes and the error."""
    parts: list[bytes] = []
    try:
        parts.extend(FORMATS[name].writer(partial(protobuf_to_json, naming=naming)).write(events))
    except EventError as error:
        return b"".join(parts), str(error)
    return b"".join(parts), ""


def check_json(data: bytes, strict: bool) -> None:
    """An event's JSON is read or refused, and an event that is read can be written."""
    try:
        event = json_to_protobuf(data, strict=strict)
    except EventError:
        return
    for naming in NAMINGS:
        protobuf_to_json(event, naming=naming)
    check_writing([event])


def check_protobuf(data: bytes) -> None:
    """Bytes have the JSON of the message that protobuf makes of them, or none."""
    for naming in NAMINGS:
        expected = json = None
        with contextlib.suppress(EventError, DecodeError):
            message = OpenResponsesStreamEvent.FromString(data)
            expected = protobuf_to_json(message.SerializeToString(deterministic=True), naming=naming)
        with contextlib.suppress(EventError):
            json = protobuf_to_json(data, naming=naming)
        assert json == expected


def check_stream(name: str, chunks: Sequence[bytes], strict: bool = False) -> list[bytes]:
    """The events, and the error, do not depend on the chunks. Each event can be written, or is refused."""
    events, end = read(name, chunks, strict)
    assert (events, end) == read(name, [b"".join(chunks)], strict)
    check_writing(events)
    return events


def check_writing(events: Sequence[bytes]) -> None:
    """Every writer writes an event or refuses it. What it writes is read and written again unchanged."""
    events = list(dict.fromkeys(events))
    for name, naming in itertools.product(FORMATS, NAMINGS):
        each = [write(name, naming, [event]) for event in events]
        refused = next((i for i, (_, refusal) in enumerate(each) if refusal), len(each))
        together = b"".join(data for data, _ in each[:refused])
        assert write(name, naming, events) == (together, each[refused][1] if refused < len(each) else "")
        written = [data for data, refusal in each if not refusal]
        assert _again(name, naming, b"".join(written), len(written)) == b"".join(written)
    for event in events:
        with contextlib.suppress(EventError):
            to_dict(OpenResponsesStreamEvent.FromString(event))


def _again(name: str, naming: Naming, written: bytes, count: int) -> bytes:
    events, end = read(name, [written])
    assert (len(events), end[:7]) == (count, "the end")
    again, refusal = write(name, naming, events)
    assert not refusal
    return again
