"""What holds for any bytes that a reader is given. These functions let no exception pass but EventError."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Sequence

from openresponses.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc import EventError, from_json, to_dict
from openresponses_grpc.codec import NAMINGS, Naming
from openresponses_grpc.framing import FORMATS, read_events, transcode


def read(
    name: str, chunks: Iterable[bytes], naming: Naming = "camelCase", strict: bool = False
) -> tuple[list[OpenResponsesStreamEvent], str]:
    """The events that a format's reader finds, and how that ends: with which error if any, and where."""
    reader = FORMATS[name].reader(naming, strict)
    events: list[OpenResponsesStreamEvent] = []
    try:
        events.extend(read_events(reader, chunks))  # what comes before an error stays in the list
    except EventError as error:
        return events, f"{type(error).__name__} at {reader.position}: {error}"
    return events, f"the end at {reader.position}"


def write(name: str, naming: Naming, events: Iterable[OpenResponsesStreamEvent]) -> tuple[bytes, str]:
    """What a format's writer makes of the events before the first one that it refuses, and how it refuses that."""
    return _gather([FORMATS[name].writer(naming).write(events)])


def _gather(written: Iterable[Iterable[bytes]]) -> tuple[bytes, str]:
    parts: list[bytes] = []
    try:
        for some in written:
            parts.extend(some)
    except EventError as error:
        return b"".join(parts), str(error)
    return b"".join(parts), ""


def encoded(events: Iterable[OpenResponsesStreamEvent]) -> list[bytes]:
    """Events in a form that is equal for NaN, too."""
    return [event.SerializeToString(deterministic=True) for event in events]


def check_json(data: bytes, naming: Naming, strict: bool) -> None:
    """An event's JSON is read or refused, and what is read can be written or is refused."""
    try:
        event = from_json(data, naming=naming, strict=strict)
    except EventError:
        return
    check_writing([event])


def check_stream(name: str, chunks: Sequence[bytes], naming: Naming, strict: bool) -> list[OpenResponsesStreamEvent]:
    """Where the chunks of a stream are cut makes no difference, and what is read can be written or is refused."""
    events, end = read(name, chunks, naming, strict)
    at_once, end_at_once = read(name, [b"".join(chunks)], naming, strict)
    assert (encoded(events), end) == (encoded(at_once), end_at_once)
    check_writing(events)
    check_transcoding(name, chunks, naming, strict)
    return events


def check_transcoding(name: str, chunks: Sequence[bytes], naming: Naming, strict: bool) -> None:
    """The fast ways from format to format lead where reading and writing lead."""
    for format in FORMATS.values():
        ends = []
        for convert in (transcode, lambda reader, writer, chunk: writer.write(reader.feed(chunk))):
            reader, writer = FORMATS[name].reader(naming, strict), format.writer(naming)
            written, error = _gather(convert(reader, writer, chunk) for chunk in chunks)
            ends.append((written, error, reader.position))
        assert ends[0] == ends[1]


def check_writing(events: Sequence[OpenResponsesStreamEvent]) -> None:
    """Every writer writes an event or refuses it; what it writes is read and written again as it is."""
    events = list(dict(zip(encoded(events), events, strict=True)).values())  # each once
    for name, naming in itertools.product(FORMATS, NAMINGS):
        each = [write(name, naming, [event]) for event in events]
        refused = next((i for i, (_, refusal) in enumerate(each) if refusal), len(each))
        together = b"".join(data for data, _ in each[:refused])
        assert write(name, naming, events) == (together, each[refused][1] if refused < len(each) else "")
        written = [data for data, refusal in each if not refusal]
        once = _again(name, naming, b"".join(written), len(written))
        assert _again(name, naming, once, len(written)) == once
    for event in events:
        with contextlib.suppress(EventError):
            to_dict(event)


def _again(name: str, naming: Naming, written: bytes, count: int) -> bytes:
    events, end = read(name, [written], naming)
    assert (len(events), end[:7]) == (count, "the end")
    again, refusal = write(name, naming, events)
    assert not refusal
    return again
