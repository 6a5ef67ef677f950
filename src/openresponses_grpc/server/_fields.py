"""Counts the elements of a message before it is parsed: two bytes can cost the parser more than a hundred. Pure.

Messages too small to exceed a limit are skipped. Larger ones are walked in steps, so that the caller can yield to
other tasks. Malformed bytes end the walk; the parser reports them.
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
"""The bytes of the smallest element: a tag and a length."""

_COUNTED_BYTES: Final = 2 << 20
"""The size up to which one step counts all occurrences of a byte."""

_STEP: Final = 512
"""The fields walked between two yields, about a millisecond: other tasks need several turns to get work done."""

_FEW: Final = 64
"""The fields walked before the first yield. A request with large events has no more."""

_EVENTS: Final = PublishRequest.DESCRIPTOR.fields_by_name["events"].number
_EVENT_TAG: Final = _EVENTS << 3 | 2

_VARINT, _FIXED64, _LENGTH, _START_GROUP, _END_GROUP, _FIXED32 = range(6)
_MORE: Final = 0x80
_MAX_SHIFT: Final = 63

_Children = Mapping[int, Descriptor]


class TooManyError(Exception):
    """A message has too many elements; the text says of which kind."""


def count_events(request: bytes) -> Iterator[None]:
    """Counts the events of a serialized PublishRequest step by step; raises TooManyError."""
    if len(request) <= MAX_EVENTS * _SMALLEST:
        return
    problem = f"has more than {MAX_EVENTS:,} events: split them over several requests"
    walk = _walk(request, {}, _EVENT_TAG, MAX_EVENTS, problem)
    ended = next(walk, True)  # it yields None
    # Every event begins with its tag, a varint that may be longer than necessary.
    tags = _EVENT_TAG, _EVENT_TAG | _MORE
    if ended or (len(request) <= _COUNTED_BYTES and sum(map(request.count, tags)) <= MAX_EVENTS):
        return
    yield
    yield from walk


def count_elements(event: bytes) -> Iterator[None]:
    """Counts the messages, strings and lists of a serialized event step by step; raises TooManyError."""
    if len(event) > MAX_ELEMENTS * _SMALLEST:
        problem = f"has more than {MAX_ELEMENTS:,} messages, strings and lists: send a smaller event"
        yield from _walk(event, _children(OpenResponsesStreamEvent.DESCRIPTOR), None, MAX_ELEMENTS, problem)


def _walk(data: bytes, children: _Children, counted: int | None, limit: int, problem: str) -> Iterator[None]:
    """Walks the fields of a message and, recursively, those of its children.

    The fields of a group are treated as those of the enclosing message, so that none is missed.

    Args:
        data: the message.
        children: the descriptors of its message fields by number.
        counted: the tag of the fields to count; None for all length-delimited fields.
        limit: the maximum number of counted fields.
        problem: the text of the TooManyError.

    """
    enclosing: list[tuple[_Children, int]] = []  # the messages around the current one, and their ends
    position, end = 0, len(data)
    fields, found = _STEP - _FEW, 0
    try:
        while True:
            while position == end:
                if not enclosing:
                    return
                children, end = enclosing.pop()
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
                    enclosing.append((children, end))
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
    """Parses a varint; returns it and the position after it. Raises IndexError if it is malformed."""
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
    """Returns the descriptors of a message's message fields by number."""
    return {field.number: field.message_type for field in message.fields if field.message_type}
