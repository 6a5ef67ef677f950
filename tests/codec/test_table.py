"""Each row of the table of lenient and strict parsing, at the top level and deep inside an event."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from openresponses_grpc import (
    EventError,
    EventShapeError,
    UnknownEventTypeError,
    from_json,
    json_to_protobuf,
    protobuf_to_json,
    to_json,
)
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from ..support.events import COMPLETED_JSON, DOCUMENTED, GENERATING_JSON
from .json_values import parse

DONE = (
    '{"type":"response.output_item.done","output_index":0,"sequence_number":1,"item":{"type":"message","id":"msg_1",'
    '"role":"assistant","content":[{"type":"refusal","refusal":"no"},{"type":"output_text","text":"yes","annotations":'
    '[{"type":"url_citation","url":"u","title":"t","start_index":0,"end_index":3}]}]}}'
)
GENERATING = (
    '{"type":"response.image_generation_call.generating","item_id":"<id>","output_index":7977.54,"sequence_number":0}'
)


class Row(NamedTuple):
    """A change of a valid event.

    Attributes:
        what: the row of the table.
        old, new: the text to replace, and its replacement.
        path: the path of the error in strict parsing; empty if the change is accepted.
        place: the steps to the message of the changed object: names of fields, and indices of list elements.
        field: the field that the change leaves unset; empty if all are set.
        extra: `extra_json` of that message; None if it is unset.

    """

    what: str
    old: str
    new: str
    path: str
    place: tuple[str | int, ...]
    field: str
    extra: str | None


TOP = ("image_generation_call_generating",)
CITATION = ("output_item_done", "item", "message", "content", 1, "output_text", "annotations", 0, "url_citation")
DEEP = "$.item.content[1].annotations[0]"
TABLE = [
    Row("missing", ',"output_index":7977.54', "", "$.output_index", TOP, "output_index", None),
    Row("missing", ',"end_index":3', "", f"{DEEP}.end_index", CITATION, "end_index", None),
    Row("null", '"<id>"', "null", "$.item_id", TOP, "item_id", '{"item_id":null}'),
    Row("null", '"u"', "null", f"{DEEP}.url", CITATION, "url", '{"url":null}'),
    Row("wrong type", "7977.54", '"1"', "$.output_index", TOP, "output_index", '{"output_index":"1"}'),
    Row("wrong type", '"u"', "[1, {}]", f"{DEEP}.url", CITATION, "url", '{"url":[1, {}]}'),
    Row("1e400", "7977.54", "1e400", "$.output_index", TOP, "output_index", '{"output_index":1e400}'),
    Row("1e400", ":3}", ":-1E999}", f"{DEEP}.end_index", CITATION, "end_index", '{"end_index":-1E999}'),
    Row(
        "beyond 2^53", "7977.54", "1765432100123456789", "", TOP, "output_index", '{"output_index":1765432100123456789}'
    ),
    Row("beyond 2^53", ":3}", ":-9007199254740993}", "", CITATION, "end_index", '{"end_index":-9007199254740993}'),
    Row("2^53", "7977.54", "9007199254740992", "", TOP, "", None),
    Row("unknown property", ":7977.54", ':7977.54,"size":[1.50]', "", TOP, "", '{"size":[1.50]}'),
    Row("unknown property", '"u"', '"u","Title":{"a":-0}', "", CITATION, "", '{"Title":{"a":-0}}'),
    Row("unknown property, null", ":7977.54", ':7977.54,"size":null', "", TOP, "", '{"size":null}'),
    Row("lone surrogate in a value", "<id>", r"\ud800", "$.item_id", TOP, "item_id", r'{"item_id":"\ud800"}'),
    Row("lone surrogate in a value", '"u"', r'"\uDC00"', f"{DEEP}.url", CITATION, "url", r'{"url":"\uDC00"}'),
    Row("lone surrogate in a name", ":7977.54", r':7977.54,"\udead":1', "$", TOP, "", r'{"\udead":1}'),
    Row("lone surrogate in a name", '"u"', r'"u","\udead":1', DEEP, CITATION, "", r'{"\udead":1}'),
    Row(
        "nested lone surrogate",
        '"u"',
        r'"u","x":["\udead"]',
        f"{DEEP}.x[0]",
        CITATION,
        "",
        r'{"x":["\udead"]}',
    ),
    Row("duplicate key", ":7977.54", ':null,"output_index":7977.54', "", TOP, "", None),
    Row("duplicate key", '"u"', '1e400,"url":"u"', "", CITATION, "", None),
    Row("duplicate key", ":3}", ':3,"end_index":[]}', f"{DEEP}.end_index", CITATION, "end_index", '{"end_index":[]}'),
    Row("both spellings", ":7977.54", ':7977.54,"outputIndex":1', "", TOP, "", '{"outputIndex":1}'),
    Row("both spellings", ":3}", ':3,"endIndex":null}', "", CITATION, "", '{"endIndex":null}'),
]


def at(message: Any, place: tuple[str | int, ...]) -> Any:
    for step in place:
        message = message.items[step] if isinstance(step, int) else getattr(message, step)
    return message


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.what}-{row.place[-1]}")
def test_row(row: Row) -> None:
    valid = next(event for event in (GENERATING, DONE) if row.old in event)
    text = valid.replace(row.old, row.new)
    read = from_json(text)
    message = at(read, row.place)
    unset = {field.name for field in message.DESCRIPTOR.fields if not message.HasField(field.name)} - {"extra_json"}
    assert unset - {"background"} == ({row.field} if row.field else set())
    assert (message.extra_json if message.HasField("extra_json") else None) == row.extra
    assert parse(to_json(read, naming="snake_case")) == parse(text)
    if not row.path:
        assert from_json(text, naming="snake_case", strict=True) == read
        return
    with pytest.raises(EventShapeError) as caught:
        from_json(text, naming="snake_case", strict=True)
    assert caught.value.path == row.path


UNKNOWN_TYPES: list[str | None] = [
    None,
    '"response.other"',
    '""',
    "null",
    "1",
    "{}",
    r'"\ud800"',
    r'"response.created\u0000"',
]


def typed(type: str | None) -> str:
    return "" if type is None else f',"type":{type}'


@pytest.mark.parametrize("type", UNKNOWN_TYPES)
def test_event_with_unknown_or_missing_type_is_unrecognized(type: str | None) -> None:
    text = f'{{"n": 1.0{typed(type)}}}'
    read = from_json(text)
    assert read.unrecognized.json == text
    assert read.unrecognized.HasField("type") == (type is not None and type.startswith('"') and "ud800" not in type)
    assert to_json(read) == text.encode()
    with pytest.raises(EventError) as caught:
        from_json(text, strict=True)
    assert caught.value.path == "$.type"
    assert isinstance(caught.value, UnknownEventTypeError | EventShapeError)


@pytest.mark.parametrize("type", UNKNOWN_TYPES)
def test_item_with_unknown_or_missing_type_is_unrecognized(type: str | None) -> None:
    item = f'{{"itemId":1{typed(type)}}}'
    text = f'{{"type":"response.output_item.added","output_index":0,"item":{item},"sequence_number":0}}'
    read = from_json(text)
    assert read.output_item_added.item.unrecognized.json == item
    assert to_json(read, naming="snake_case") == text.encode()
    with pytest.raises(EventShapeError) as caught:
        from_json(text, naming="snake_case", strict=True)
    assert caught.value.path == "$.item.type"


@pytest.mark.parametrize(
    "text, type",
    [
        ('{"n":1}', "ping"),
        ('{"type":null}', "ping"),
        (r'{"type":"\ud800"}', "ping"),
        ('{"type":"x"}', "x"),
        ('{"type":""}', ""),
    ],
)
def test_sse_event_name_replaces_missing_type(text: str, type: str) -> None:
    data = json_to_protobuf(text, sse_type="ping")
    assert OpenResponsesStreamEvent.FromString(data).unrecognized.type == type
    assert protobuf_to_json(data) == text.encode()


def test_sse_event_name_does_not_select_a_typed_event() -> None:
    data = json_to_protobuf('{"delta":"a"}', sse_type="response.output_text.delta")
    assert OpenResponsesStreamEvent.FromString(data).unrecognized.type == "response.output_text.delta"
    assert json_to_protobuf(COMPLETED_JSON, sse_type="error") == json_to_protobuf(COMPLETED_JSON)


def test_strict_naming_treats_other_spelling_as_unknown_property() -> None:
    text = DONE.replace('"role"', '"itemId":1,"Phase":2,"role"').replace('"url":', '"startIndex":[],"url":')
    read = from_json(text, naming="snake_case", strict=True)
    citation = at(read, CITATION)
    assert (citation.start_index, citation.extra_json) == (0, '{"startIndex":[]}')
    assert parse(to_json(read, naming="snake_case")) == parse(text)
    with pytest.raises(EventShapeError, match="found item_id: check the naming") as caught:
        from_json(GENERATING, naming="camelCase", strict=True)
    assert caught.value.path == "$.itemId"
    with pytest.raises(EventShapeError, match="both spellings"):
        from_json(GENERATING_JSON.replace(b'"itemId"', b'"item_id":"a","itemId"'), naming="camelCase", strict=True)


def test_last_duplicate_type_wins() -> None:
    for first in ('"other"', "1", "null", '"response.image_generation_call.generating"'):
        text = f'{{"type":{first},{COMPLETED_JSON.decode()[1:]}'
        assert from_json(text, strict=True) == from_json(COMPLETED_JSON)


@pytest.mark.parametrize("text", DOCUMENTED)
def test_documented_events_round_trip_byte_for_byte(text: bytes) -> None:
    read = from_json(text, strict=True)
    assert to_json(OpenResponsesStreamEvent.FromString(read.SerializeToString())) == text
    assert len(read.SerializeToString()) == 26


def test_documented_event_has_documented_bytes() -> None:
    data = from_json(GENERATING_JSON).SerializeToString()
    assert data.hex() == "0a180a043c69643e11d7a3703d8a29bf40190000000000000000"
