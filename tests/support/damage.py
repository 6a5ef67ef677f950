"""Damaged inputs: Hypothesis strategies, and varints that protobuf's libraries do not write."""

import itertools
from typing import NamedTuple

from hypothesis import strategies as st

from .stream_seeds import TOKENS

some_bytes = st.binary(max_size=8) | st.sampled_from(TOKENS)
arbitrary = st.binary(max_size=200) | st.lists(some_bytes, max_size=30).map(b"".join)
cuts = st.lists(st.integers(0, 4000), max_size=6) | st.none()


class Change(NamedTuple):
    """A range of bytes to remove, replace or repeat, or bytes to insert."""

    start: int
    length: int
    replacement: bytes | None

    def apply(self, data: bytes) -> bytes:
        start = self.start % (len(data) + 1)
        stop = start + self.length
        new = data[start:stop] * 2 if self.replacement is None else self.replacement
        return data[:start] + new + data[stop:]


changes = st.lists(
    st.builds(Change, st.integers(0, 4000), st.integers(0, 4) | st.integers(0, 300), st.none() | some_bytes),
    max_size=3,
)


def changed(data: bytes, made: list[Change]) -> bytes:
    for change in made:
        data = change.apply(data)
    return data


def chunks(data: bytes, at: list[int] | None) -> list[bytes]:
    """Cuts data at these offsets; None cuts it into single bytes with empty chunks in between."""
    places = (
        sorted(cut % (len(data) + 1) for cut in at)
        if at is not None
        else [twice // 2 for twice in range(2 * len(data))]
    )
    return [data[start:stop] for start, stop in itertools.pairwise([0, *places, len(data)])]


def varint(number: int) -> bytes:
    """Encodes a number of any size, even beyond the 64 bits of a valid varint."""
    return bytes([number & 0x7F | 0x80]) + varint(number >> 7) if number > 0x7F else bytes([number])


def delimited(message: bytes) -> bytes:
    """A message with its length prefix."""
    return varint(len(message)) + message
