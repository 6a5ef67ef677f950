"""Counts what a message holds before it is parsed: two bytes of it can cost a parser more than a hundred. Pure.

A message that is too small to hold too much is not looked at. Others are walked in steps, so that a caller can let
others have a turn. Malformed bytes end a walk: the parser says what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from google.protobuf.descriptor import Descriptor

from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc.v1.stream_service_pb2 import PublishRequest

from ..codec._raw_messages import MAX_ELEMENTS, MAX_EVENTS

_SMALLEST: Final = 2
"""Bytes of the smallest element: its tag and its length."""

_COUNTED_BYTES: Final = 2 << 20
"""Bytes up to which one step counts how often a byte occurs."""

_STEP: Final = 512
"""Fields that are walked before others have a turn: about a millisecond. What others do takes several turns."""

_EVENTS: Final = PublishRequest.DESCRIPTOR.fields_by_name["events"].number
_EVENT_TAG: Final = _EVENTS << 3 | 2

_VARINT, _FIXED64, _LENGTH, _START_GROUP, _END_GROUP, _FIXED32 = range(6)
_MORE: Final = 0x80
_MAX_SHIFT: Final = 63

_Children = Mapping[int, Descriptor]


class TooManyError(Exception):
    """A message has more of something than it may have; the text says of what."""


def count_events(request: bytes) -> Iterator[None]:
    """Counts the events of a serialized PublishRequest, step by step; raises TooManyError."""
    if len(request) <= MAX_EVENTS * _SMALLEST:
        return
    # Every event begins with its tag, which a varint may spell in more bytes than it needs.
    if len(request) <= _COUNTED_BYTES and request.count(_EVENT_TAG) + request.count(_EVENT_TAG | _MORE) <= MAX_EVENTS:
        return
    problem = f"has more than {MAX_EVENTS:,} events: send them in several requests"
    yield from _walk(request, {}, _EVENT_TAG, MAX_EVENTS, problem)


def count_elements(event: bytes) -> Iterator[None]:
    """Counts the messages, strings and lists in a serialized event, step by step; raises TooManyError."""
    if len(event) > MAX_ELEMENTS * _SMALLEST:
        problem = f"has more than {MAX_ELEMENTS:,} messages, strings and lists: send less in one event"
        yield from _walk(event, _children(OpenResponsesStreamEvent.DESCRIPTOR), None, MAX_ELEMENTS, problem)


def _walk(data: bytes, children: _Children, counted: int | None, limit: int, problem: str) -> Iterator[None]:
    """Walks the fields of a message, and those of the messages in it that `children` has.

    A group is walked as if its fields were those of the message around it, which counts no fewer.

    Args:
        data: the message.
        children: its fields that are messages, by number.
        counted: the tag of the fields to count; None for all that have a length.
        limit: how many of these there may be.
        problem: what a TooManyError says.

    """
    around: list[tuple[_Children, int]] = []  # the messages that the current one is in, and where each ends
    position, end = 0, len(data)
    fields = found = 0
    try:
        while True:
            while position == end:
                if not around:
                    return
                children, end = around.pop()
            fields += 1
            if fields % _STEP == 0:
                yield
            tag, position = data[position], position + 1
            if tag & _MORE:
                tag, position = _varint(data, position - 1)
            wire_type = tag & 7
            if wire_type == _LENGTH:
                length, position = data[position], position + 1
                if length & _MORE:
                    length, position = _varint(data, position - 1)
                if position + length > end:
                    return
                found += counted is None or tag == counted
                if found > limit:
                    raise TooManyError(problem)
                child = children.get(tag >> 3)
                if child is None:
                    position += length
                elif length:
                    around.append((children, end))
                    children, end = _children(child), position + length
            elif wire_type == _VARINT:
                _, position = _varint(data, position)
            elif wire_type == _FIXED64:
                position += 8
            elif wire_type == _FIXED32:
                position += 4
            if position > end or wire_type > _FIXED32:
                return
    except IndexError:
        return


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A varint and the position after it; raises IndexError where there is none."""
    value = shift = 0
    while shift <= _MAX_SHIFT:
        byte, position = data[position], position + 1
        value |= (byte & ~_MORE) << shift
        if byte < _MORE:
            return value, position
        shift += 7
    raise IndexError


@cache
def _children(message: Any) -> _Children:
    """The fields of a message that are messages, by number."""
    return {field.number: field.message_type for field in message.fields if field.message_type}
