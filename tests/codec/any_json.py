"""Hypothesis strategies for arbitrary JSON text: strings, numbers and names in every spelling, harmless or hostile."""

from __future__ import annotations

import json
from functools import cache
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from .shapes import camel, literal, messages, properties, shape, snake

Text = SearchStrategy[str]

PIECES: Final = [
    *("a", "text", "é", "😀", "\u2028", "\ufeff", "\x7f", "-0", ":-0,", "{", "]", "'"),
    *(r"\"", r"\\", r"\/", r"\b\f\n\r\t", r"\u0000", r"\u00e9", r"\ud83d\ude00", r"\uD83D\uDE00"),
]
HALVES: Final = [r"\ud800", r"\udc00", r"\uDBFF", r"\udead\ud83d"]
"""Lone surrogates: valid in JSON, but not Unicode."""

TOKENS: Final = [
    *(
        "0",
        "-0",
        "-0.0",
        "1",
        "1.0",
        "1E0",
        "-1.50",
        "7977.54",
        "1e2",
        "1e21",
        "5e-324",
        "0.0000012345",
        "-0e0",
        "-1e-400",
    ),
    *(str(sign * (2**53 + n)) for sign in (1, -1) for n in (-1, 0)),
]
ODD_TOKENS: Final = [
    *("9007199254740993", "-9007199254740993", "1765432100123456789", "1e400", "-1E400", "1" + "0" * 400, "9" * 5000),
    *("9007199254740993.0", "1.152921504606847e18", "1e-400"),
]
DEEP: Final = ["[" * 60 + "]" * 60, '{"a":' * 60 + "0" + "}" * 60]
UNKNOWN: Final = [
    "extra_json",
    "extraJson",
    "items",
    "entries",
    "unrecognized",
    "__proto__",
    "kind",
    "",
    "x",
    "é",
    "-0",
]
"""Names of no property in the contract: names of fields, and names with a meaning elsewhere."""


@cache
def known_names() -> list[str]:
    fields = [field for message in messages() if shape(message) == "object" for field in properties(message)]
    return sorted({name for field in fields for name in (snake(field), camel(field))})


@cache
def types() -> list[str]:
    return sorted({literal(message) for message in messages()})


spaces: Final = st.sampled_from(["", "", "", "", " ", "\n", "\r\n", "\t \r"])
strings: Final = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=4).map("".join).map('"{}"'.format),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4).map(json.dumps),
)
half_strings: Final = (
    st.lists(st.sampled_from(HALVES + PIECES[:3]), min_size=1, max_size=3).map("".join).map('"{}"'.format)
)
numbers: Final = st.one_of(
    st.sampled_from(TOKENS),
    st.integers(-(2**53), 2**53).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)
names: Final = st.one_of(
    st.sampled_from(UNKNOWN).map(json.dumps),
    st.deferred(lambda: st.sampled_from(known_names())).map(json.dumps),
    strings,
    half_strings,
)
scalars: Final = st.one_of(
    st.sampled_from(["null", "true", "false", "{}", "[]", "[null]", *DEEP]),
    st.sampled_from(ODD_TOKENS),
    numbers,
    strings,
    half_strings,
)


def escaped(name: str) -> Text:
    """A JSON string, sometimes with its first character escaped."""
    return st.sampled_from([json.dumps(name)] * 7 + [f'"\\u{ord(name[0]):04x}{name[1:]}"'])


def joined(opening: str, parts: list[str], closing: str, space: str) -> str:
    return f"{opening}{space}{f'{space},{space}'.join(parts)}{space}{closing}"


def arrays(of: Text, max_size: int = 3) -> Text:
    return st.builds(joined, st.just("["), st.lists(of, max_size=max_size), st.just("]"), spaces)


def objects(of: Text, max_size: int = 3) -> Text:
    """Objects with arbitrary names, some of them with a `type` from the contract."""
    member = st.builds("{}:{}".format, names, of)
    typed = st.deferred(lambda: st.sampled_from(types()).map('"type":"{}"'.format))
    parts = st.lists(st.one_of(member, member, member, typed), max_size=max_size)
    return st.builds(joined, st.just("{"), parts, st.just("}"), spaces)


values: Final = st.recursive(scalars, lambda of: arrays(of) | objects(of), max_leaves=6)


@st.composite
def damaged(draw: st.DrawFn, of: Text) -> str:
    """Text with a few characters replaced, which is mostly not JSON anymore."""
    text = draw(of)
    start = draw(st.integers(0, len(text)))
    stop = start + draw(st.integers(0, 2))
    insertion = st.sampled_from(
        [*'{}[]",:\\/-+.0189eEu \n\r\tNa\u2028\ufeff', "", "\0", "\x1f", r"\u12", r"\x", "01", "1.", "NaN"]
    )
    inserted: str = draw(insertion)
    return text[:start] + inserted + text[stop:]
