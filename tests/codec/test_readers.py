"""Compiled and general functions produce the same bytes, also with cached names and in concurrent threads."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openresponses_grpc import json_to_protobuf, protobuf_to_json
from openresponses_grpc.codec._decode import Decoders
from openresponses_grpc.codec._reader import Reader

from .any_json import values
from .general_only import EVENT, read_generally
from .generate import any_object


@given(any_object)
def test_compiled_functions_match_general_ones(text: str) -> None:
    expected = read_generally(text)
    assert json_to_protobuf(text) == json_to_protobuf(text.encode()) == expected


# Few names in few messages, so that a new reader caches them all. Some are not valid as names of Python attributes.
NAMES = ["x", "y", "é", "a b", "type", "extra_0", r"\"", r"\\", r"\u0000", "self", "__class__", "", "itemId", "delta"]
PLACES = [
    '{{"type":"response.output_text.delta","delta":"a",{}}}',
    '{{"type":"response.output_text.delta",{},"logprobs":[{{"logprob":1,{}}}]}}',
    '{{{},"type":"response.content_part.done","part":{{{},"type":"output_text","text":""}},"output_index":0}}',
    '{{"type":"response.completed","response":{{"usage":{{{},"inputTokens":1}},"tools":[{{"type":"function",{}}}]}}}}',
    '{{"type":"response.image_generation_call.completed","itemId":"a","item_id":"b",{}}}',
]


@st.composite
def with_unknown_names(draw: st.DrawFn) -> str:
    members = st.lists(st.builds('"{}":{}'.format, st.sampled_from(NAMES), values), min_size=1, max_size=3)
    place = draw(st.sampled_from(PLACES))
    return place.format(*(",".join(draw(members)) for _ in range(2)))


@settings(max_examples=max(20, settings.default.max_examples // 20) if settings.default else 20)
@given(st.lists(with_unknown_names(), min_size=1, max_size=8))
def test_cached_names_do_not_change_the_bytes(texts: list[str]) -> None:
    reader = Reader(EVENT)
    for text in texts * 3:
        assert reader.read(text, None) == read_generally(text)


@pytest.fixture
def switching_threads() -> Iterator[ThreadPoolExecutor]:
    """Threads that switch about every microsecond."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    with ThreadPoolExecutor(4) as threads:
        yield threads
    sys.setswitchinterval(interval)


def test_threads_share_a_reader(switching_threads: ThreadPoolExecutor) -> None:
    texts = [place.format(f'"{name}":1', f'"{name}":2') for name in NAMES for place in PLACES]
    expected = [read_generally(text) for text in texts]
    reader = Reader(EVENT)

    def read_from(turn: int) -> list[bytes]:
        return [reader.read(text, None) for text in texts[turn:] + texts[:turn]]

    for turn, data in enumerate(switching_threads.map(read_from, range(8))):
        assert data == expected[turn:] + expected[:turn]


def test_threads_share_decoders(switching_threads: ThreadPoolExecutor) -> None:
    events = [read_generally(place.format('"x":1', '"y":2')) for place in PLACES]
    decode = Decoders("camelCase").of[EVENT]
    written = switching_threads.map(lambda _: [decode(event, 0, len(event)) for event in events], range(8))
    assert list(written) == [[protobuf_to_json(event) for event in events]] * 8
