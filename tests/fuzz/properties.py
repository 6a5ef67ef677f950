"""Properties of the codec for arbitrary bytes. Exceptions of the library other than EventError propagate."""

from __future__ import annotations

import contextlib
from typing import Any

from google.protobuf.message import DecodeError

from openresponses_grpc import EventError, json_to_protobuf, protobuf_to_json
from openresponses_grpc.codec._schema import NAMINGS, Naming
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from ..codec.general_only import read_generally
from ..codec.json_values import parse
from ..codec.respell import respell
from ..codec.set_fields import check_union

MAX_DEPTH = 100


def check_round_trip(data: bytes, naming: Naming) -> None:
    """Checks that a JSON object round-trips with its known properties respelled, and that other bytes are rejected."""
    value = _object(data)
    try:
        event = json_to_protobuf(data)
    except EventError:
        assert value is None
        return
    assert value is not None
    assert event == read_generally(data)
    message = OpenResponsesStreamEvent.FromString(event)
    assert event == message.SerializeToString(deterministic=True)
    check_union(message, data.decode().strip(" \t\r\n"))
    written = protobuf_to_json(event, naming=naming)
    assert parse(written) == respell(value, naming)
    assert protobuf_to_json(json_to_protobuf(written), naming=naming) == written


def check_strict(data: bytes, naming: Naming) -> None:
    """Checks that strict parsing rejects an event or preserves it, and that it can be serialized strictly."""
    with contextlib.suppress(EventError):
        event = json_to_protobuf(data, naming=naming, strict=True)
        assert parse(protobuf_to_json(event, naming=naming)) == parse(data)
        protobuf_to_json(event, naming=naming, strict=True)


def check_message(data: bytes) -> None:
    """Checks that bytes convert to the JSON of the message that protobuf parses, which round-trips, or are rejected."""
    for naming in NAMINGS:
        text = _json_or_none(data, naming)
        try:
            message = OpenResponsesStreamEvent.FromString(data)
        except DecodeError:
            assert text is None
            continue
        assert text == _json_or_none(message.SerializeToString(deterministic=True), naming)
        if text is not None:
            check_round_trip(text, naming)


def _json_or_none(data: bytes, naming: Naming) -> bytes | None:
    try:
        return protobuf_to_json(data, naming=naming)
    except EventError:
        return None


def _object(data: bytes) -> dict[str, Any] | None:
    """Parses a JSON object with the standard library; None if the bytes are not one, or it is nested too deeply."""
    try:
        value = parse(data.decode())
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and _depth(value) <= MAX_DEPTH else None


def _depth(value: Any) -> int:
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(_depth, value.values() if isinstance(value, dict) else value), default=0)
