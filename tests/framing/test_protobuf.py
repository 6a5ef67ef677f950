"""Length-delimited protobuf reader and writer."""

import io

import pytest
from google.protobuf import proto

from openresponses_grpc import InvalidProtobufError, json_to_protobuf
from openresponses_grpc.framing import ProtobufReader, ProtobufWriter, read_events
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from ..support.events import event
from ..support.mixed_stream import MIXED, mixed_stream

EVENTS = [json_to_protobuf(line) for line in MIXED["camelCase"]]


def test_matches_delimited_streams_of_protobuf_library() -> None:
    stream = io.BytesIO(b"".join(ProtobufWriter().write(EVENTS)))
    read = [proto.parse_length_prefixed(OpenResponsesStreamEvent, stream) for _ in EVENTS]
    assert [made and made.SerializeToString(deterministic=True) for made in read] == EVENTS
    assert stream.read() == b""
    assert list(read_events(ProtobufReader(), [mixed_stream("protobuf", "camelCase")])) == EVENTS


def test_reader_passes_messages_through_unchanged() -> None:
    # Fields in another order, and one from a later version: the reader does not change the bytes.
    made = b"\x7a\x07\x12\x02{}\x0a\x01x" + b"\xf2\x7d\x01z"
    assert list(read_events(ProtobufReader(), ProtobufWriter().write([made, made]))) == [made] * 2


@pytest.mark.parametrize(
    "data, position, problem",
    [
        (b"\x02\x0a", "message 2", "within a message"),
        (b"\x80", "message 2", "within a message"),
        (b"\x02\xff\xff", "message 2", "not an OpenResponsesStreamEvent"),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "message 2", "invalid length prefix"),
        (b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", "message 2", "invalid length prefix"),
        (b"\x80" * 11, "message 2", "invalid length prefix"),
        (b"\x80\x80\x80\x80\x08", "message 2", "invalid length prefix"),
    ],
)
def test_error_has_position_of_invalid_message(data: bytes, position: str, problem: str) -> None:
    reader = ProtobufReader()
    good = event(0).SerializeToString()
    events = read_events(reader, [bytes([len(good)]) + good + data])
    assert next(events) == good
    with pytest.raises(InvalidProtobufError, match=problem):
        next(events)
    assert reader.position == position
