"""Properties of the bridge over generated JSON."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from openresponses.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc import EventError, from_dict, from_json, to_dict, to_json
from openresponses_grpc.codec import NAMINGS, Naming, contract
from openresponses_grpc.parsing import read_event

TYPES = [*contract("camelCase").by_type, "response.output_text.delta", ""]
NAMES = ["itemId", "item_id", "outputIndex", "sequenceNumber", "sequence_number", "size", "__proto__", "", "typé\n"]

text = st.text(st.characters(exclude_categories=["Cs"]))
number = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70)
value = st.recursive(
    st.none() | st.booleans() | number | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=8,
)
modelled = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES), "itemId": text, "outputIndex": number, "sequenceNumber": number}
)
properties = st.builds(
    lambda base, more: base | more | {"type": base["type"]},
    modelled,
    st.dictionaries(st.sampled_from(NAMES) | text, value),
)
naming = st.sampled_from(NAMINGS)


def equal_as_json(one: bytes | str, other: bytes | str) -> bool:
    """Whether two texts are one value to `JSON.parse`, which has doubles only."""
    return bool(json.loads(one, parse_int=float) == json.loads(other, parse_int=float))


@given(properties, naming, st.booleans())
def test_any_object_with_a_type_goes_through_and_is_equal_as_json(
    made: dict[str, Any], naming: Naming, ascii_only: bool
) -> None:
    sent = json.dumps(made, ensure_ascii=ascii_only)
    event = OpenResponsesStreamEvent.FromString(from_json(sent, naming=naming).SerializeToString())
    received = to_json(event, naming=naming)
    assert equal_as_json(received, sent)
    if event.HasField("unrecognized"):
        assert received == sent.encode()
    assert to_json(from_json(received, naming=naming), naming=naming) == received


@given(properties, naming)
def test_strict_refuses_what_the_default_carries(made: dict[str, Any], naming: Naming) -> None:
    carried = from_json(json.dumps(made), naming=naming)
    try:
        assert from_json(json.dumps(made), naming=naming, strict=True) == carried
    except EventError:
        assert carried.HasField("unrecognized")
    else:
        assert not carried.HasField("unrecognized")


@given(properties, naming)
def test_dicts_are_read_and_written_like_json(made: dict[str, Any], naming: Naming) -> None:
    event = from_dict(made, naming=naming)
    assert to_dict(event, naming=naming) == json.loads(to_json(event, naming=naming))
    assert equal_as_json(json.dumps(to_dict(event, naming=naming)), json.dumps(made))


@given(modelled.filter(lambda made: made["type"] in contract("camelCase").by_type), naming)
def test_the_compiled_way_and_the_careful_way_agree(made: dict[str, Any], naming: Naming) -> None:
    data = json.dumps(made).encode()
    assert from_json(data) == read_event(data, contract("camelCase"), strict=False)


@given(st.binary() | st.binary().map(lambda data: b'{"type":"' + data) | text.map(str.encode))
def test_any_bytes_are_an_event_or_an_error(data: bytes) -> None:
    try:
        event = from_json(data)
    except EventError as error:
        assert error.path
    else:
        assert equal_as_json(to_json(event), data)
