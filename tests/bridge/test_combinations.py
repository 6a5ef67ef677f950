"""Every combination of the properties being right, missing, null and of each wrong JSON type, in both namings."""

import itertools

import pytest

from openresponses_grpc import EventError, InvalidJSONError, from_json, to_json
from openresponses_grpc.codec import NAMINGS, EventCodec, Naming, contract

ABSENT = None
VALUES = {
    "string": '"a"',
    "number": "7977.54",
    "true": "true",
    "false": "false",
    "null": "null",
    "{}": "{}",
    "[]": "[]",
}
CODECS = [(naming, codec) for naming in NAMINGS for codec in contract(naming).by_type.values()]


@pytest.mark.parametrize("naming, codec", CODECS, ids=lambda value: getattr(value, "arm", value))
def test_right_in_equal_out_and_wrong_in_an_error_with_the_path(naming: Naming, codec: EventCodec) -> None:
    right = {"type": f'"{codec.type}"'} | {p.name: VALUES[p.kind.name] for p in codec.properties}
    others = {"type": [v for k, v in VALUES.items() if k != "string"]} | {
        p.name: [v for k, v in VALUES.items() if k != p.kind.name] for p in codec.properties
    }
    # Full product for the four fields that every event has; beyond them it would say nothing new.
    names = list(right)[:4]
    fixed = {name: right[name] for name in list(right)[4:]}
    count = 0
    for texts in itertools.product(*([right[name], ABSENT, *others[name]] for name in names)):
        properties = dict(zip(names, texts, strict=True)) | fixed
        text = "{" + ",".join(f'"{name}":{value}' for name, value in properties.items() if value is not ABSENT) + "}"
        wrong = [name for name in names if properties[name] != right[name]]
        check(text, wrong, naming)
        count += 1
    assert count == 8**4


def check(text: str, wrong: list[str], naming: Naming) -> None:
    if not wrong:
        assert to_json(from_json(text, naming=naming, strict=True), naming=naming) == text.encode()
        return
    with pytest.raises(EventError) as caught:
        from_json(text, naming=naming, strict=True)
    assert caught.value.path == f"$.{wrong[0]}", text
    if wrong[0] == "type":
        with pytest.raises(InvalidJSONError):
            from_json(text, naming=naming)
    else:
        assert to_json(from_json(text, naming=naming), naming=naming) == text.encode()
