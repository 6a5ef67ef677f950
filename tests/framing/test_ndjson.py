"""NDJSON reader and writer."""

from functools import partial

import pytest

from openresponses_grpc import EventError, InvalidJSONError, json_to_protobuf
from openresponses_grpc.framing import NDJSONReader, NDJSONWriter, read_events

from ..support.events import GENERATING_JSON
from ..support.mixed_stream import MIXED, mixed_stream


def test_accepts_blank_lines_crlf_and_unterminated_last_line() -> None:
    data = b"\n \r\n" + GENERATING_JSON + b"\r\n\n" + b'{"type":"x"}\r\n' + GENERATING_JSON
    reader = NDJSONReader()
    first, second, third = read_events(reader, [data])
    assert first == third == json_to_protobuf(GENERATING_JSON)
    assert second == json_to_protobuf('{"type":"x"}')
    assert reader.position == "line 6"


def test_writes_camel_case_by_default() -> None:
    events = [json_to_protobuf(line) for line in MIXED["snake_case"]]
    assert b"".join(NDJSONWriter().write(events)) == mixed_stream("ndjson", "camelCase")


def test_error_has_line_number() -> None:
    reader = NDJSONReader(partial(json_to_protobuf, strict=True))
    wrong = GENERATING_JSON.replace(b"7977.54", b'"x"')
    with pytest.raises(EventError, match=r"^\$\.outputIndex: "):
        list(read_events(reader, [GENERATING_JSON + b"\n\n" + wrong + b"\n"]))
    assert reader.position == "line 3"


def test_reads_events_before_an_invalid_line() -> None:
    events = NDJSONReader().feed(GENERATING_JSON + b"\n{\n")
    assert next(events) == json_to_protobuf(GENERATING_JSON)
    with pytest.raises(InvalidJSONError):
        next(events)
