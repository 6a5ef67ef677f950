"""Length-delimited protobuf with malformed varints, lengths and messages."""

import pytest

from openresponses_grpc import IncompleteEventError, InvalidProtobufError, protobuf_to_json, to_json
from openresponses_grpc.framing import ProtobufReader, read_events
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from ..support.damage import delimited, varint
from ..support.memory import traced
from ..support.stream_properties import check_writing

LENGTHS = [2**31, 2**32, 2**35, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 2**70]


def read_protobuf(data: bytes) -> list[bytes]:
    return list(read_events(ProtobufReader(), [data]))


@pytest.mark.parametrize("size", [1, 2, 100])
@pytest.mark.parametrize("length", LENGTHS)
def test_rejects_length_beyond_protobuf_limit_before_message_arrives(length: int, size: int) -> None:
    reader = ProtobufReader()
    data = varint(length) + b"few bytes"
    with traced() as memory, pytest.raises(InvalidProtobufError, match="invalid length prefix"):
        for start in range(0, len(data), size):
            assert list(reader.feed(data[start : start + size])) == []
    assert memory() < 64 << 10
    assert reader.position == "message 1"


def test_largest_length_allocates_no_memory_before_message_arrives() -> None:
    reader = ProtobufReader()
    with traced() as memory:
        assert list(reader.feed(varint(2**31 - 1) + b"few bytes")) == []
    assert memory() < 64 << 10
    with pytest.raises(InvalidProtobufError, match="ends within a message"):
        list(reader.close())


@pytest.mark.parametrize("data", [varint(number)[:-1] for number in (2**7, 2**14, 2**21, 2**28)])
def test_rejects_truncated_length(data: bytes) -> None:
    with pytest.raises(InvalidProtobufError, match="ends within a message"):
        read_protobuf(data)


def test_accepts_padded_length() -> None:
    message = b"\x7a\x04\x12\x02{}"
    assert read_protobuf(b"\x86\x80\x00" + message + b"\x86\x00" + message) == [message] * 2


# 1 << 3 | 2 is 0x0A. Field 1 is a message, its field 2 a double. Field 15 is a message with strings. 12 is unused.
@pytest.mark.parametrize(
    "message",
    [
        pytest.param(b"\x80", id="truncated tag"),
        pytest.param(b"\x60\x80", id="truncated varint"),
        pytest.param(b"\x60" + b"\xff" * 11, id="overlong varint"),
        pytest.param(b"\x0a\x80", id="truncated length"),
        pytest.param(b"\x0a" + varint(2**31 - 1), id="length past the end of the message"),
        pytest.param(b"\x0a" + varint(2**63), id="length of 2^63"),
        pytest.param(b"\x7a" + delimited(b"\x0a" + varint(2**63)), id="nested length of 2^63"),
        pytest.param(b"\x0a" + delimited(b"\x11\x00"), id="half a double"),
        pytest.param(b"\x7a" + delimited(b"\x12\x01\xff"), id="string with invalid UTF-8"),
        pytest.param(b"\x64", id="unmatched end of a group"),
        pytest.param(b"\x00", id="field zero"),
    ],
)
def test_rejects_malformed_message(message: bytes) -> None:
    with pytest.raises(InvalidProtobufError, match="not an OpenResponsesStreamEvent"):
        read_protobuf(delimited(message))
    with pytest.raises(InvalidProtobufError, match="not an OpenResponsesStreamEvent"):
        protobuf_to_json(message)


# Messages that protobuf accepts but no serializer produces, and their JSON.
@pytest.mark.parametrize(
    "message, json",
    [
        pytest.param(b"\x7a\x07\x12\x02{}\x0a\x01x", b"{}", id="fields in another order"),
        pytest.param(b"\x7a\x84\x00\x12\x02{}", b"{}", id="padded length"),
        pytest.param(b"\xfa\x00\x04\x12\x02{}", b"{}", id="padded tag"),
        pytest.param(b"\x7a\x04\x12\x02[]\x7a\x04\x12\x02{}", b"{}", id="repeated field"),
        pytest.param(
            b"\xba\x01\x03\x0a\x01c\xba\x01\x03\x12\x01m",
            b'{"type":"error","code":"c","message":"m"}',
            id="merged",
        ),
        pytest.param(b"\xba\x01\x03\x0a\x01c\x7a\x04\x12\x02{}", b"{}", id="two members"),
        pytest.param(b"\x7a\x04\x12\x02{}\xba\x01\x00", b'{"type":"error"}', id="two members, the last one empty"),
    ],
)
def test_unusual_encoding_passes_through_and_converts_like_protobuf(message: bytes, json: bytes) -> None:
    assert read_protobuf(delimited(message)) == [message]
    assert protobuf_to_json(message) == json == to_json(OpenResponsesStreamEvent.FromString(message))


@pytest.mark.parametrize("message", [b"", varint(100 << 3) + b"\x01"], ids=["empty", "unknown field"])
def test_message_without_event_parses_but_cannot_be_serialized(message: bytes) -> None:
    assert read_protobuf(delimited(message)) == [message]
    with pytest.raises(IncompleteEventError):
        protobuf_to_json(message)
    check_writing([message])
