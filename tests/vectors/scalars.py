"""Vectors of edge cases of numbers and strings, in the first image event."""

from __future__ import annotations

from typing import Final, NamedTuple

from .vector import Vector


class Edge(NamedTuple):
    """Input JSON, the same value in text format, and the output JSON if it differs from the input."""

    about: str
    read: str
    text: str
    written: str | None = None


NUMBERS: Final = {
    "number-negative-zero": Edge(
        "The message keeps the sign; like JSON.stringify, serialization drops it.", "-0", "-0.0", "0"
    ),
    "number-negative": Edge("A negative fraction.", "-1.5", "-1.5"),
    "number-of-17-digits": Edge(
        "The maximum number of digits that a double needs.", "0.30000000000000004", "0.30000000000000004"
    ),
    "number-2-to-the-31": Edge("Larger than an int32.", "2147483648", "2147483648"),
    "number-2-to-the-53": Edge(
        "The largest integer that is stored as a double.", "9007199254740992", "9007199254740992"
    ),
    "number-2-to-the-64": Edge(
        "A double beyond 2^53 with an exponent; serialization writes the shortest unique digits, then zeros.",
        "1.8446744073709551616e19",
        "18446744073709551616",
        "18446744073709552000",
    ),
    "number-before-exponents": Edge(
        "1e20, the largest power of ten that is written without an exponent.", "1e20", "1e20", "100000000000000000000"
    ),
    "number-1e21": Edge("The smallest power of ten above one that is written with an exponent.", "1e+21", "1e21"),
    "number-largest": Edge("The largest double.", "1.7976931348623157e+308", "1.7976931348623157e308"),
    "number-smallest-plain": Edge(
        "1e-6, the smallest power of ten that is written without an exponent.", "0.000001", "1e-6"
    ),
    "number-1e-7": Edge("The largest power of ten below one that is written with an exponent.", "1e-7", "1e-7"),
    "number-smallest-normal": Edge("The smallest normal double.", "2.2250738585072014e-308", "2.2250738585072014e-308"),
    "number-smallest": Edge("The smallest positive double.", "5e-324", "5e-324"),
    "number-spelled-otherwise": Edge("The spelling of a number in a field is not preserved.", "150.0E-1", "15", "15"),
}
"""Edge cases of `output_index`."""

_CONTROLS: Final = [code for code in range(1, 0x20) if chr(code) not in "\b\t\n\f\r"]

STRINGS: Final = {
    "string-empty": Edge("An empty string differs from an unset field.", '""', '""'),
    "string-nul": Edge("A NUL does not terminate a string.", r'"a\u0000b"', r'"a\000b"'),
    "string-short-escapes": Edge(
        "Every two-character escape that is written.", r'"\"\\\b\f\n\r\t"', r'"\"\\\010\014\012\015\011"'
    ),
    "string-escaped-slash": Edge("An escape that is parsed but not written.", r'"a\/b"', '"a/b"', '"a/b"'),
    "string-controls": Edge(
        "Every control character that is written as a \\u escape.",
        '"' + "".join(f"\\u{code:04x}" for code in _CONTROLS) + '"',
        '"' + "".join(f"\\{code:03o}" for code in _CONTROLS) + '"',
    ),
    "string-delete": Edge("The control character that does not need an escape.", '"\x7f"', r'"\177"'),
    "string-for-html": Edge(
        "Characters that some libraries escape unnecessarily.", "\"<a href='x'>&\"", "\"<a href='x'>&\""
    ),
    "string-of-2-and-3-bytes": Edge("Characters of two and three bytes.", '"é€"', r'"\303\251\342\202\254"'),
    "string-not-normalized": Edge("An e with a combining accent remains two characters.", '"e\u0301"', r'"e\314\201"'),
    "string-line-separators": Edge(
        "U+0085, U+2028 and U+2029 are not line ends.", '"\x85\u2028\u2029"', r'"\302\205\342\200\250\342\200\251"'
    ),
    "string-byte-order-mark": Edge("U+FEFF in a string is an ordinary character.", '"\ufeff"', r'"\357\273\277"'),
    "string-noncharacters": Edge(
        "The noncharacters U+FFFE and U+FFFF.", '"\ufffe\uffff"', r'"\357\277\276\357\277\277"'
    ),
    "string-astral": Edge(
        "Characters of four bytes, including the last code point.",
        '"😀\U0010ffff"',
        r'"\360\237\230\200\364\217\277\277"',
    ),
    "string-escaped-surrogates": Edge(
        "An escaped surrogate pair is one character.", r'"\ud83d\uDE00\u00e9"', r'"\360\237\230\200\303\251"', '"😀é"'
    ),
}
"""Edge cases of `item_id`."""

_MEBIBYTE: Final = '"' + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" * (1 << 14) + '"'


def _generating(about: str, item_id: Edge, output_index: Edge) -> Vector:
    def json(string: str, number: str) -> str:
        start = '{"type":"response.image_generation_call.generating",'
        return f'{start}"item_id":{string},"output_index":{number},"sequence_number":0}}'

    written = json(item_id.written or item_id.read, output_index.written or output_index.read)
    return Vector(
        about,
        json(item_id.read, output_index.read),
        f"image_generation_call_generating {{ item_id: {item_id.text} output_index: {output_index.text} "
        "sequence_number: 0 }",
        written=written if item_id.written or output_index.written else None,
    )


_STRING: Final = Edge("", '"ig_1"', '"ig_1"')
_NUMBER: Final = Edge("", "1", "1")

SCALARS: Final = {
    **{name: _generating(edge.about, _STRING, edge) for name, edge in NUMBERS.items()},
    **{name: _generating(edge.about, edge, _NUMBER) for name, edge in STRINGS.items()},
    "string-of-a-mebibyte": _generating("A string as long as an image.", Edge("", _MEBIBYTE, _MEBIBYTE), _NUMBER),
}
