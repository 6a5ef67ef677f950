"""What the vectors are made of, written by hand: the JSON as the SDK and the API spell it, and protobuf's text format.

Nothing here asks the bridge. A vector that has been released is never changed or taken away: see README.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Vector(NamedTuple):
    """A vector without its binary message.

    Attributes:
        about: the edge that it is there for, in a sentence.
        camel, snake: the JSON that is read, in both namings.
        text: the message in protobuf's text format.
        written_camel, written_snake: the JSON that is written, where it is not what is read.

    """

    about: str
    camel: str
    snake: str
    text: str
    written_camel: str | None = None
    written_snake: str | None = None


class Edge(NamedTuple):
    """JSON that is read, the same in text format, and the JSON that is written where it is not what is read."""

    about: str
    read: str
    text: str
    written: str | None = None


EVENTS: Final = {
    "generating": Vector(
        "The event that the SDK documents.",
        '{"type":"response.image_generation_call.generating","itemId":"<id>","outputIndex":7977.54,"sequenceNumber":0}',
        '{"type":"response.image_generation_call.generating",'
        '"item_id":"<id>","output_index":7977.54,"sequence_number":0}',
        'image_generation_call_generating { item_id: "<id>" output_index: 7977.54 sequence_number: 0 }',
    ),
    "completed": Vector(
        "The event that the SDK documents.",
        '{"type":"response.image_generation_call.completed","itemId":"<id>","outputIndex":3469.55,"sequenceNumber":0}',
        '{"type":"response.image_generation_call.completed",'
        '"item_id":"<id>","output_index":3469.55,"sequence_number":0}',
        'image_generation_call_completed { item_id: "<id>" output_index: 3469.55 sequence_number: 0 }',
    ),
    "in-progress": Vector(
        "An event with a value in every field.",
        '{"type":"response.image_generation_call.in_progress","itemId":"ig_1","outputIndex":1,"sequenceNumber":2}',
        '{"type":"response.image_generation_call.in_progress","item_id":"ig_1","output_index":1,"sequence_number":2}',
        'image_generation_call_in_progress { item_id: "ig_1" output_index: 1 sequence_number: 2 }',
    ),
    "partial-image": Vector(
        "An event with a value in every field.",
        '{"type":"response.image_generation_call.partial_image","itemId":"ig_1","outputIndex":1,"sequenceNumber":4,'
        '"partialImageB64":"iVBORw0KGgo=","partialImageIndex":2}',
        '{"type":"response.image_generation_call.partial_image","item_id":"ig_1","output_index":1,"sequence_number":4,'
        '"partial_image_b64":"iVBORw0KGgo=","partial_image_index":2}',
        'image_generation_call_partial_image { item_id: "ig_1" output_index: 1 sequence_number: 4 '
        'partial_image_b64: "iVBORw0KGgo=" partial_image_index: 2 }',
    ),
    "generating-zeros": Vector(
        "Every field is there and is empty or zero, which is not missing.",
        '{"type":"response.image_generation_call.generating","itemId":"","outputIndex":0,"sequenceNumber":0}',
        '{"type":"response.image_generation_call.generating","item_id":"","output_index":0,"sequence_number":0}',
        'image_generation_call_generating { item_id: "" output_index: 0 sequence_number: 0 }',
    ),
    "completed-zeros": Vector(
        "Every field is there and is empty or zero, which is not missing.",
        '{"type":"response.image_generation_call.completed","itemId":"","outputIndex":0,"sequenceNumber":0}',
        '{"type":"response.image_generation_call.completed","item_id":"","output_index":0,"sequence_number":0}',
        'image_generation_call_completed { item_id: "" output_index: 0 sequence_number: 0 }',
    ),
    "in-progress-zeros": Vector(
        "Every field is there and is empty or zero, which is not missing.",
        '{"type":"response.image_generation_call.in_progress","itemId":"","outputIndex":0,"sequenceNumber":0}',
        '{"type":"response.image_generation_call.in_progress","item_id":"","output_index":0,"sequence_number":0}',
        'image_generation_call_in_progress { item_id: "" output_index: 0 sequence_number: 0 }',
    ),
    "partial-image-zeros": Vector(
        "Every field is there and is empty or zero, which is not missing.",
        '{"type":"response.image_generation_call.partial_image","itemId":"","outputIndex":0,"sequenceNumber":0,'
        '"partialImageB64":"","partialImageIndex":0}',
        '{"type":"response.image_generation_call.partial_image","item_id":"","output_index":0,"sequence_number":0,'
        '"partial_image_b64":"","partial_image_index":0}',
        'image_generation_call_partial_image { item_id: "" output_index: 0 sequence_number: 0 '
        'partial_image_b64: "" partial_image_index: 0 }',
    ),
    "properties-in-another-order": Vector(
        "The order of properties means nothing, and white space neither; they are written in the contract's order.",
        ' {"sequenceNumber" : 2,\n"outputIndex":1,"itemId":"ig_1","type":"response.image_generation_call.completed"}\n',
        ' {"sequence_number" : 2,\n"output_index":1,"item_id":"ig_1",'
        '"type":"response.image_generation_call.completed"}\n',
        'image_generation_call_completed { item_id: "ig_1" output_index: 1 sequence_number: 2 }',
        '{"type":"response.image_generation_call.completed","itemId":"ig_1","outputIndex":1,"sequenceNumber":2}',
        '{"type":"response.image_generation_call.completed","item_id":"ig_1","output_index":1,"sequence_number":2}',
    ),
    "extra-between": Vector(
        "A property that the message does not name is written after those that it names, wherever it was read.",
        '{"size":"1024x1024","type":"response.image_generation_call.completed",'
        '"itemId":"ig_1","n": 1,"outputIndex":1,"sequenceNumber":2}',
        '{"size":"1024x1024","type":"response.image_generation_call.completed",'
        '"item_id":"ig_1","n": 1,"output_index":1,"sequence_number":2}',
        'image_generation_call_completed { item_id: "ig_1" output_index: 1 sequence_number: 2 } '
        'extra_json: \'{"size":"1024x1024","n":1}\'',
        '{"type":"response.image_generation_call.completed",'
        '"itemId":"ig_1","outputIndex":1,"sequenceNumber":2,"size":"1024x1024","n":1}',
        '{"type":"response.image_generation_call.completed",'
        '"item_id":"ig_1","output_index":1,"sequence_number":2,"size":"1024x1024","n":1}',
    ),
}

NUMBERS: Final = {
    "number-negative-zero": Edge(
        "The sign is in the message and, as in JSON.stringify, not written.", "-0", "-0.0", "0"
    ),
    "number-negative": Edge("A negative fraction.", "-1.5", "-1.5"),
    "number-of-17-digits": Edge("The most digits that a double needs.", "0.30000000000000004", "0.30000000000000004"),
    "number-2-to-the-31": Edge("Beyond an int32.", "2147483648", "2147483648"),
    "number-2-to-the-53": Edge("Not every integer after it is a double.", "9007199254740992", "9007199254740992"),
    "number-2-to-the-53-plus-1": Edge(
        "An integer that is no double becomes the nearest.", "9007199254740993", "9007199254740992", "9007199254740992"
    ),
    "number-2-to-the-64": Edge(
        "Beyond a uint64; only the digits that tell the double from others are written, then zeros.",
        "18446744073709552000",
        "18446744073709551616",
    ),
    "number-before-exponents": Edge("1e20, still written as digits.", "100000000000000000000", "1e20"),
    "number-1e21": Edge("The first power of ten that is written with an exponent.", "1e+21", "1e21"),
    "number-largest": Edge("The largest double.", "1.7976931348623157e+308", "1.7976931348623157e308"),
    "number-smallest-plain": Edge("1e-6, still written as digits.", "0.000001", "1e-6"),
    "number-1e-7": Edge("The first power of ten below one that is written with an exponent.", "1e-7", "1e-7"),
    "number-smallest-normal": Edge(
        "The smallest double of full precision.", "2.2250738585072014e-308", "2.2250738585072014e-308"
    ),
    "number-smallest": Edge("The smallest double that is not zero.", "5e-324", "5e-324"),
    "number-spelled-otherwise": Edge("Spellings of a number are not kept.", "150.0E-1", "15", "15"),
}
"""Edges of `output_index`."""

_CONTROLS: Final = [code for code in range(1, 0x20) if chr(code) not in "\b\t\n\f\r"]

STRINGS: Final = {
    "string-empty": Edge("Empty is not missing.", '""', '""'),
    "string-nul": Edge("A NUL in the middle ends nothing.", r'"a\u0000b"', r'"a\000b"'),
    "string-short-escapes": Edge(
        "Every escape of two characters that is written.", r'"\"\\\b\f\n\r\t"', r'"\"\\\010\014\012\015\011"'
    ),
    "string-escaped-slash": Edge("An escape that is read and not written.", r'"a\/b"', '"a/b"', '"a/b"'),
    "string-controls": Edge(
        "Every control character that is written as its number.",
        '"' + "".join(f"\\u{code:04x}" for code in _CONTROLS) + '"',
        '"' + "".join(f"\\{code:03o}" for code in _CONTROLS) + '"',
    ),
    "string-delete": Edge("The control character that needs no escape.", '"\x7f"', r'"\177"'),
    "string-for-html": Edge("What some libraries escape, and need not.", "\"<a href='x'>&\"", "\"<a href='x'>&\""),
    "string-of-2-and-3-bytes": Edge("Characters of two and three bytes.", '"é€"', r'"\303\251\342\202\254"'),
    "string-not-normalized": Edge("An e with a combining accent stays two characters.", '"e\u0301"', r'"e\314\201"'),
    "string-line-separators": Edge(
        "U+0085, U+2028 and U+2029 end no line.", '"\x85\u2028\u2029"', r'"\302\205\342\200\250\342\200\251"'
    ),
    "string-byte-order-mark": Edge("U+FEFF within a string is a character.", '"\ufeff"', r'"\357\273\277"'),
    "string-noncharacters": Edge("U+FFFE and U+FFFF.", '"\ufffe\uffff"', r'"\357\277\276\357\277\277"'),
    "string-astral": Edge(
        "Characters of four bytes, the last code point among them.",
        '"😀\U0010ffff"',
        r'"\360\237\230\200\364\217\277\277"',
    ),
    "string-escaped-surrogates": Edge(
        "A pair of escapes is one character.", r'"\ud83d\uDE00\u00e9"', r'"\360\237\230\200\303\251"', '"😀é"'
    ),
}
"""Edges of `item_id`."""

EXTRAS: Final = {
    "extra-one": Edge("A property that the message does not name.", '"size":"1024x1024"', '\'{"size":"1024x1024"}\''),
    "extra-snake-case": Edge(
        "Names that nobody models are not respelled.",
        '"output_format":"png","outputQuality":1',
        '\'{"output_format":"png","outputQuality":1}\'',
    ),
    "extra-nested": Edge(
        "Objects and arrays, with white space and the names of modelled properties in them.",
        '"a":{"itemId":[1, {"type":null}],"b":[[]]}',
        '\'{"a":{"itemId":[1, {"type":null}],"b":[[]]}}\'',
    ),
    "extra-empty": Edge(
        "An empty name, and empty values.",
        '"":"","a":{},"b":[],"c":null,"d":false',
        '\'{"":"","a":{},"b":[],"c":null,"d":false}\'',
    ),
    "extra-numbers": Edge(
        "Numbers are kept as they are spelled, also beyond a double.",
        '"a":1.50,"b":1e400,"c":-0,"d":9007199254740993',
        '\'{"a":1.50,"b":1e400,"c":-0,"d":9007199254740993}\'',
    ),
    "extra-escapes": Edge(
        "Values are kept as they are spelled.",
        r'"\"\\":"\u00e9\/\ud83d\ude00😀"',
        r"""'{"\\"\\\\":"\\u00e9\\/\\ud83d\\ude00\360\237\230\200"}'""",
    ),
}
"""Edges of the properties that follow the named ones, and of `extra_json`."""

UNRECOGNIZED: Final = {
    "unrecognized": Edge(
        "A type that no version models.",
        '{"type":"example.unmodelled","item":{"id":"ig_1","content":[1,2.50,null]}}',
        'unrecognized { type: "example.unmodelled" '
        'json: \'{"type":"example.unmodelled","item":{"id":"ig_1","content":[1,2.50,null]}}\' }',
    ),
    "unrecognized-empty-type": Edge(
        "Empty is a type like any other.",
        '{"type":""}',
        'unrecognized { type: "" json: \'{"type":""}\' }',
    ),
    "unrecognized-escaped-type": Edge(
        "The type is what the escapes mean, the JSON keeps them.",
        r'{"type":"\u00e9\ud83d\ude00\u0000"}',
        r"""unrecognized { type: "\303\251\360\237\230\200\000" json: '{"type":"\\u00e9\\ud83d\\ude00\\u0000"}' }""",
    ),
    "unrecognized-as-it-is": Edge(
        "White space, line breaks and a repeated name are kept, and the last type counts.",
        ' { "type" : "example.first",\r\n\t"type":"example.last" }\n',
        'unrecognized { type: "example.last" '
        r"""json: ' { "type" : "example.first",\r\n\t"type":"example.last" }\n' }""",
    ),
    "unrecognized-missing-property": Edge(
        "A modelled type without one of its properties.",
        '{"type":"response.image_generation_call.generating","sequenceNumber":0}',
        'unrecognized { type: "response.image_generation_call.generating" '
        'json: \'{"type":"response.image_generation_call.generating","sequenceNumber":0}\' }',
    ),
    "unrecognized-null-property": Edge(
        "A modelled type with null for a string.",
        '{"type":"response.image_generation_call.completed","itemId":null,"outputIndex":0,"sequenceNumber":0}',
        'unrecognized { type: "response.image_generation_call.completed" json: \'{'
        '"type":"response.image_generation_call.completed","itemId":null,"outputIndex":0,"sequenceNumber":0}\' }',
    ),
    "unrecognized-string-for-number": Edge(
        "A modelled type with a string for a number.",
        '{"type":"response.image_generation_call.completed","itemId":"a","outputIndex":"0","sequenceNumber":0}',
        'unrecognized { type: "response.image_generation_call.completed" json: \'{'
        '"type":"response.image_generation_call.completed","itemId":"a","outputIndex":"0","sequenceNumber":0}\' }',
    ),
    "unrecognized-both-spellings": Edge(
        "A modelled type with a property in both spellings.",
        '{"type":"response.image_generation_call.completed",'
        '"itemId":"a","item_id":"b","outputIndex":0,"output_index":0,"sequenceNumber":0,"sequence_number":0}',
        'unrecognized { type: "response.image_generation_call.completed" json: \'{'
        '"type":"response.image_generation_call.completed",'
        '"itemId":"a","item_id":"b","outputIndex":0,"output_index":0,"sequenceNumber":0,"sequence_number":0}\' }',
    ),
    "unrecognized-beyond-a-double": Edge(
        "A modelled type with a number that no double holds.",
        '{"type":"response.image_generation_call.completed","itemId":"a","outputIndex":1e400,"sequenceNumber":0}',
        'unrecognized { type: "response.image_generation_call.completed" json: \'{'
        '"type":"response.image_generation_call.completed","itemId":"a","outputIndex":1e400,"sequenceNumber":0}\' }',
    ),
}
"""Events that are carried as they are: the same text in both namings."""


def _generating(
    about: str, item_id: Edge | None = None, output_index: Edge | None = None, extra: Edge | None = None
) -> Vector:
    string = item_id or Edge("", '"ig_1"', '"ig_1"')
    number = output_index or Edge("", "1", "1")
    start = '{"type":"response.image_generation_call.generating",'
    end = f"0,{extra.read}}}" if extra else "0}"
    written = string.written or number.written
    strings, numbers = string.written or string.read, number.written or number.read
    return Vector(
        about,
        f'{start}"itemId":{string.read},"outputIndex":{number.read},"sequenceNumber":{end}',
        f'{start}"item_id":{string.read},"output_index":{number.read},"sequence_number":{end}',
        f"image_generation_call_generating {{ item_id: {string.text} output_index: {number.text} sequence_number: 0 }}"
        + (f" extra_json: {extra.text}" if extra else ""),
        f'{start}"itemId":{strings},"outputIndex":{numbers},"sequenceNumber":{end}' if written else None,
        f'{start}"item_id":{strings},"output_index":{numbers},"sequence_number":{end}' if written else None,
    )


_MEBIBYTE: Final = '"' + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" * (1 << 14) + '"'

VECTORS: Final[Mapping[str, Vector]] = {
    **EVENTS,
    **{name: _generating(edge.about, output_index=edge) for name, edge in NUMBERS.items()},
    **{name: _generating(edge.about, item_id=edge) for name, edge in STRINGS.items()},
    **{name: _generating(edge.about, extra=edge) for name, edge in EXTRAS.items()},
    **{name: Vector(edge.about, edge.read, edge.read, edge.text) for name, edge in UNRECOGNIZED.items()},
    "string-of-a-mebibyte": _generating("As long as an image.", item_id=Edge("", _MEBIBYTE, _MEBIBYTE)),
}
