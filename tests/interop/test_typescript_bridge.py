"""The TypeScript bridge at run time: it matches Python for JSON, and the SDK for the SDK's objects."""

import json
import math
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from openresponses_grpc import AsyncEventStreamClient, json_to_protobuf, protobuf_to_json, to_json
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from ..codec.any_json import objects, values
from ..codec.generate import events
from ..codec.json_values import parse
from ..codec.shapes import EVENT, element, inner, literal, members, options, properties, shape, snake
from .languages import built

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

COUNT = 2_000


def bridge(mode: str, inputs: Iterable[str]) -> list[dict[str, Any]]:
    """The output of bridge.mjs for each input."""
    folder = built("typescript").folder
    program = shutil.copy(Path(__file__).with_name("bridge.mjs"), folder / "build")
    lines = "\n".join(map(json.dumps, inputs))
    ran = subprocess.run(["node", program, mode], cwd=folder, input=lines.encode(), capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode()
    return [json.loads(line) for line in ran.stdout.splitlines()]


def json_objects() -> list[str]:
    """Reproducible JSON objects, most of them similar to events."""
    texts = []

    @seed(9)
    @settings(max_examples=COUNT, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(st.one_of(events, events, events, objects(values)))
    def collect(text: str) -> None:
        texts.append(text)

    collect()
    return texts


def test_converts_json_objects_like_python() -> None:
    texts = json_objects()
    same = 0
    for text, made in zip(texts, bridge("read", texts), strict=True):
        assert "error" not in made, text
        read = json_to_protobuf(text)
        for message in (read, bytes.fromhex(made["hex"])):
            assert parse(protobuf_to_json(message)) == parse(made["camelCase"]), text
            assert parse(protobuf_to_json(message, naming="snake_case")) == parse(made["snake_case"]), text
        same += read.hex() == made["hex"]  # except for escapes in names of unknown properties
    assert same > COUNT * 0.9


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "SyntaxError: Unexpected end"),
        ("[]", "SyntaxError: expected a JSON object, got []"),
        ('"{}"', "SyntaxError: expected a JSON object"),
        ('{"type":"error"} {}', "SyntaxError: Unexpected"),
        ('{"type":"error","code":NaN}', "SyntaxError: Unexpected"),
        ('{"a":' * 101 + "1" + "}" * 101, "SyntaxError: nested more than 100 levels deep"),
        ('{"a":"\ud800"}', "SyntaxError: the text contains an unescaped lone surrogate"),
    ],
)
def test_throws_on_text_that_is_not_one_object(text: str, problem: str) -> None:
    (answer,) = bridge("read", [text])
    assert answer["error"].startswith(problem)


def event(**fields: object) -> OpenResponsesStreamEvent:
    return OpenResponsesStreamEvent(**fields)  # type: ignore[arg-type]


ITEM = "$.item"
WITHOUT_JSON: dict[str, tuple[OpenResponsesStreamEvent, str]] = {
    "no member": (event(), "$: no member of the union is set"),
    "no member in an item": (event(output_item_done={"item": {}}), f"{ITEM}: no member of the union is set"),
    "not a number": (
        event(output_item_done={"output_index": math.nan}),
        "$.outputIndex: JSON cannot represent the number NaN",
    ),
    "infinity": (
        event(output_item_done={"output_index": -math.inf}),
        "$.outputIndex: JSON cannot represent the number -Infinity",
    ),
    "empty unrecognized JSON": (event(unrecognized={"type": "x"}), "$: json is not JSON"),
    "unrecognized JSON is not an object": (event(unrecognized={"json": "[]"}), "expected a JSON object, got []"),
    "extra_json is not an object": (event(debug={"extra_json": "[]"}), "$: extra_json is not a JSON object"),
    "extra_json is not JSON": (event(debug={"extra_json": '{"a":1},"b":{'}), "$: extra_json is not JSON"),
    "extra_json with the type": (event(debug={"extra_json": '{"type":1}'}), "$.type is also in extra_json"),
    "extra_json with the name of a set field": (
        event(output_item_done={"output_index": 1, "extra_json": '{"output_index":2}'}),
        "$.outputIndex is also in extra_json",
    ),
    "JSON text is null": (event(debug={"debug_json": "null"}), "$.debug is null"),
    "two entries with the same name": (
        event(created={"response": {"metadata": {"entries": [{"name": "a", "value": "1"}] * 2}}}),
        '$.response.metadata: two entries have the name "a"',
    ),
    "an entry without a value": (
        event(created={"response": {"metadata": {"entries": [{"name": "a"}]}}}),
        "$.response.metadata: an entry has no name or no value",
    ),
}


@pytest.mark.parametrize("name", WITHOUT_JSON)
def test_throws_on_message_without_json(name: str) -> None:
    message, problem = WITHOUT_JSON[name]
    (answer,) = bridge("write", [message.SerializeToString().hex()])
    assert answer["error"].startswith(f"TypeError: {problem}")


NEWER = "a0 1f 01"  # field 500, which is not in the contract


@pytest.mark.parametrize(
    ("hex", "place"),
    [
        (NEWER, "$: field 500 of openresponses_grpc.v1.OpenResponsesStreamEvent"),
        (f"5a 03 {NEWER}", "$: field 500 of openresponses_grpc.v1.OpenResponsesStreamEventResponseOutputItemDone"),
        (f"5a 07 12 05 0a 03 {NEWER}", "$.item: field 500 of openresponses_grpc.v1.ResponsesOutputMessage"),
        (f"7a 05 12 00 {NEWER}", "$: field 500 of openresponses_grpc.v1.Unrecognized"),
    ],
)
def test_throws_on_field_of_newer_contract(hex: str, place: str) -> None:
    (answer,) = bridge("write", [hex.replace(" ", "")])
    assert answer["error"] == f"TypeError: {place} needs a newer openresponses-grpc"


def full(message: Descriptor) -> Any:
    """An object with every property of the SDK's type, and one element of each type in each list."""
    match shape(message):
        case "object":
            fields = [field for field in properties(message) if not options(field).beyond_sdk]
            return {"type": literal(message)} | {snake(field): value(field) for field in fields}
        case "list":
            of = element(message)
            return [full(inner(member)) for member in sdk_members(inner(of))] if is_union(of) else [value(of)]
        case "map":
            return {"a": value(element(message)), "é": value(element(message))}
    return value(sdk_members(message)[0])


def value(field: FieldDescriptor) -> Any:
    if field.message_type:
        return full(inner(field))
    if options(field).json_text:
        return {"a": [None, 1]}
    return {field.TYPE_STRING: next(iter(options(field).allowed), "é"), field.TYPE_BOOL: True}.get(field.type, 0.5)


def is_union(field: FieldDescriptor) -> bool:
    return bool(field.message_type) and shape(inner(field)) == "union"


def sdk_members(union: Descriptor) -> list[FieldDescriptor]:
    return [member for member in members(union) if not options(member).beyond_sdk]


FULL = [full(inner(member)) for member in sdk_members(EVENT)]


def test_sdk_objects_round_trip() -> None:
    assert len(FULL) == 27
    for sent, answer in zip(FULL, bridge("sdk", map(json.dumps, FULL)), strict=True):
        assert answer["accepted"], sent["type"]
        assert answer["event"] == answer["object"]


def test_throws_with_path_on_what_the_sdk_rejects() -> None:
    spoiled: list[tuple[str, Any]] = []
    for sent in FULL:
        for name in sent:
            place = "$" if name == "type" else f"$.{camel_of(name)}"
            without = {other: kept for other, kept in sent.items() if other != name}
            spoiled += [(place, without), (place, without | {name: None}), (place, without | {name: []})]
    answers = bridge("sdk", [json.dumps(sent) for _, sent in spoiled])
    rejected = 0
    for (place, sent), answer in zip(spoiled, answers, strict=True):
        assert answer["accepted"] == ("event" in answer), (sent, answer)
        if not answer["accepted"]:
            assert answer["error"].startswith(f"TypeError: {place} is "), sent
            rejected += 1
    assert rejected > len(spoiled) / 2


def camel_of(name: str) -> str:
    first, *words = name.split("_")
    return first + "".join(map(str.capitalize, words))


async def test_publisher_splits_lines_at_lf_only_and_skips_blank_ones(server: str) -> None:
    text = '\ufeff{"type":"a","text":"\u2028\u2029\x85\ufeff"}\n\n \t\r\n{"type":"b",\r"c":1}\r\n{"type":"c"}'
    async with (
        built("typescript").started("publish", server, "s") as publisher,
        AsyncEventStreamClient(server) as client,
    ):
        _, stderr = await publisher.communicate(text.encode())
        assert publisher.returncode == 0, stderr
        published = [to_json(event).decode() async for event in client.subscribe("s")]
    assert published == ['{"type":"a","text":"\u2028\u2029\x85\ufeff"}', '{"type":"b", "c":1}', '{"type":"c"}']


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"type":"\xff"}', b"not valid for encoding utf-8"),
        (b'{"type":"error","code":NaN}', b"line 2 is not an event"),
        (b"event: error", b"line 2 is not an event"),
    ],
)
async def test_publisher_reports_invalid_line(server: str, line: bytes, problem: bytes) -> None:
    async with built("typescript").started("publish", server, "s") as publisher:
        _, stderr = await publisher.communicate(b'{"type":"a"}\n' + line)
        assert (publisher.returncode, problem in stderr) == (1, True), stderr
