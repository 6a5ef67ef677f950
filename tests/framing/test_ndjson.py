"""The reader and the writer of NDJSON."""

from functools import partial

import pytest

from openresponses_grpc import EventError, InvalidJSONError, json_to_protobuf
from openresponses_grpc.framing import NDJSONReader, NDJSONWriter, read_events

from ..support.events import GENERATING_JSON
from ..support.mixed_stream import MIXED, mixed_stream


def test_ndjson_lines_may_be_empty_or_end_with_cr_lf_or_the_input() -> None:
    data = b"\n \r\n" + GENERATING_JSON + b"\r\n\n" + b'{"type":"x"}\r\n' + GENERATING_JSON
    reader = NDJSONReader()
    first, second, third = read_events(reader, [data])
    assert first == third == json_to_protobuf(GENERATING_JSON)
    assert second == json_to_protobuf('{"type":"x"}')
    assert reader.position == "line 6"


def test_ndjson_is_written_in_camel_case_by_default() -> None:
    events = [json_to_protobuf(line) for line in MIXED["snake_case"]]
    assert b"".join(NDJSONWriter().write(events)) == mixed_stream("ndjson", "camelCase")


def test_an_ndjson_error_has_the_number_of_its_line() -> None:
    reader = NDJSONReader(partial(json_to_protobuf, strict=True))
    wrong = GENERATING_JSON.replace(b"7977.54", b'"x"')
    with pytest.raises(EventError, match=r"^\$\.outputIndex: "):
        list(read_events(reader, [GENERATING_JSON + b"\n\n" + wrong + b"\n"]))
    assert reader.position == "line 3"


def test_events_before_invalid_ndjson_are_read() -> None:
    events = NDJSONReader().feed(GENERATING_JSON + b"\n{\n")
    assert next(events) == json_to_protobuf(GENERATING_JSON)
    with pytest.raises(InvalidJSONError):
        next(events)
