"""Vectors of values that fields cannot hold: extras, unrecognized values, lone surrogates, both spellings."""

from __future__ import annotations

from typing import Final

from .vector import Vector

_COMPLETED: Final = '{"type":"response.image_generation_call.completed",'
_AS_SDK: Final = '"itemId":"ig_1","outputIndex":1,"sequenceNumber":2'
_AS_API: Final = '"item_id":"ig_1","output_index":1,"sequence_number":2'
_FIELDS: Final = 'item_id: "ig_1" output_index: 1 sequence_number: 2'


def _extra(about: str, extra: str, text: str) -> Vector:
    """A vector of unknown properties after known ones."""
    return Vector(
        about,
        f"{_COMPLETED}{_AS_API},{extra}}}",
        f"image_generation_call_completed {{ {_FIELDS} extra_json: {text} }}",
        camel=f"{_COMPLETED}{_AS_SDK},{extra}}}",
    )


def _unrecognized(about: str, json: str, text: str, written: str | None = None) -> Vector:
    """A vector of an unrecognized event: the same text in both namings."""
    return Vector(about, json, f"unrecognized {{ {text} }}", camel=json, written=written, written_camel=written)


def _item(about: str, item: str, text: str) -> Vector:
    """A vector of an unrecognized item."""
    json = '{{"type":"response.output_item.added","{}":1,"item":{},"{}":2}}'
    return Vector(
        about,
        json.format("output_index", item, "sequence_number"),
        f"output_item_added {{ output_index: 1 item {{ unrecognized {{ {text} }} }} sequence_number: 2 }}",
        camel=json.format("outputIndex", item, "sequenceNumber"),
    )


EXTRAS: Final = {
    "extra-one": _extra("An unknown property.", '"example":"1024x1024"', '\'{"example":"1024x1024"}\''),
    "extra-snake-case": _extra(
        "Names of unknown properties, and names inside their values, are not respelled.",
        '"example_format":"png","exampleQuality":1,"example":{"inputTokens":1,"output_tokens":2}',
        '\'{"example_format":"png","exampleQuality":1,"example":{"inputTokens":1,"output_tokens":2}}\'',
    ),
    "extra-nested": _extra(
        "Objects and arrays that contain white space and names of known properties.",
        '"a":{"itemId":[1, {"type":null}],"b":[[]]}',
        '\'{"a":{"itemId":[1, {"type":null}],"b":[[]]}}\'',
    ),
    "extra-empty": _extra(
        "An empty name and empty values.",
        '"":"","a":{},"b":[],"c":null,"d":false',
        '\'{"":"","a":{},"b":[],"c":null,"d":false}\'',
    ),
    "extra-numbers": _extra(
        "Extras preserve the spelling of numbers, also beyond doubles.",
        '"a":1.50,"b":1e400,"c":-0,"d":9007199254740993',
        '\'{"a":1.50,"b":1e400,"c":-0,"d":9007199254740993}\'',
    ),
    "extra-escapes": _extra(
        "Extras preserve the spelling of strings.",
        r'"\"\\":"\u00e9\/\ud83d\ude00😀"',
        r"""'{"\\"\\\\":"\\u00e9\\/\\ud83d\\ude00\360\237\230\200"}'""",
    ),
    "extra-names-of-fields": _extra(
        "Field names that are not property names are unknown properties.",
        '"extra_json":"{}","unrecognized":{"json":""},"items":[],"kind":null,"__proto__":{"x":1}',
        '\'{"extra_json":"{}","unrecognized":{"json":""},"items":[],"kind":null,"__proto__":{"x":1}}\'',
    ),
    "extra-of-a-name-with-half-a-surrogate-pair": _extra(
        "A name with a lone surrogate.", r'"\ud83d":1', r"""'{"\\ud83d":1}'"""
    ),
    "extra-between": Vector(
        "An unknown property is written after the known ones, wherever it was in the input.",
        '{"example":"1024x1024","type":"response.image_generation_call.completed",'
        '"item_id":"ig_1","b": 1,"output_index":1,"sequence_number":2}',
        f'image_generation_call_completed {{ {_FIELDS} extra_json: \'{{"example":"1024x1024","b":1}}\' }}',
        camel='{"example":"1024x1024","type":"response.image_generation_call.completed",'
        '"itemId":"ig_1","b": 1,"outputIndex":1,"sequenceNumber":2}',
        written=f'{_COMPLETED}{_AS_API},"example":"1024x1024","b":1}}',
        written_camel=f'{_COMPLETED}{_AS_SDK},"example":"1024x1024","b":1}}',
    ),
    "extra-on-a-line": Vector(
        "Line ends between tokens become spaces; escapes in strings are preserved.",
        _COMPLETED + _AS_API + ',"a":[1,\r\n\t2],"b":"\\n\\r"}',
        f"image_generation_call_completed {{ {_FIELDS} " + r"""extra_json: '{"a":[1,  \t2],"b":"\\n\\r"}' }""",
        camel=_COMPLETED + _AS_SDK + ',"a":[1,\r\n\t2],"b":"\\n\\r"}',
        written=_COMPLETED + _AS_API + ',"a":[1,  \t2],"b":"\\n\\r"}',
        written_camel=_COMPLETED + _AS_SDK + ',"a":[1,  \t2],"b":"\\n\\r"}',
    ),
    "extra-at-every-level": Vector(
        "Each object has its own extras: properties of a wrong type and unknown ones.",
        '{"type":"response.completed","response":{"id":1,"output":[{"type":"message","content":[{"type":"output_text",'
        '"text":["a"],"annotations":[{"type":"url_citation","start_index":"0","x":1}],"y":2}],"z":3}],'
        '"usage":{"input_tokens":1,"input_tokens_details":null,"w":{}},"v":[]},"u":null}',
        "completed { response { output { items { message { content { items { output_text { annotations { items { "
        'url_citation { extra_json: \'{"start_index":"0","x":1}\' } } } extra_json: \'{"text":["a"],"y":2}\' } } } '
        "extra_json: '{\"z\":3}' } } } usage { input_tokens: 1 "
        'extra_json: \'{"input_tokens_details":null,"w":{}}\' } extra_json: \'{"id":1,"v":[]}\' } '
        "extra_json: '{\"u\":null}' }",
    ),
    "extra-of-a-list": Vector(
        "A field cannot hold a list of objects that contains one odd element.",
        '{"type":"response.output_text.delta","logprobs":[{"top_logprobs":[{"token":"a"}]},null],"delta":"a"}',
        'output_text_delta { delta: "a" extra_json: \'{"logprobs":[{"top_logprobs":[{"token":"a"}]},null]}\' }',
        camel='{"type":"response.output_text.delta","logprobs":[{"top_logprobs":[{"token":"a"}]},null],"delta":"a"}',
    ),
    "extra-of-a-map": Vector(
        "A field cannot hold a map of strings that contains one odd value.",
        '{"type":"response.completed","response":{"metadata":{"a":"b","c":null}}}',
        'completed { response { extra_json: \'{"metadata":{"a":"b","c":null}}\' } }',
    ),
}

ODD_VALUES: Final = {
    **{
        f"odd-{name}": Vector(
            about,
            f'{_COMPLETED}"item_id":{string},"output_index":{number},"sequence_number":2}}',
            f"image_generation_call_completed {{ {fields} sequence_number: 2 extra_json: '{extra}' }}",
        )
        for name, about, string, number, fields, extra in [
            ("null", "A field cannot hold null.", '"ig_1"', "null", 'item_id: "ig_1"', '{"output_index":null}'),
            ("types", "Values of a wrong type.", "[]", '"1"', "", '{"item_id":[],"output_index":"1"}'),
            (
                "1e400",
                "A number beyond the largest double.",
                '"ig_1"',
                "1e400",
                'item_id: "ig_1"',
                '{"output_index":1e400}',
            ),
            (
                "2-to-the-53-plus-1",
                "The smallest positive integer that is not a double.",
                '"ig_1"',
                "9007199254740993",
                'item_id: "ig_1"',
                '{"output_index":9007199254740993}',
            ),
            (
                "nanoseconds",
                "A time in nanoseconds, whose digits a double would change.",
                '"ig_1"',
                "1765432100123456789",
                'item_id: "ig_1"',
                '{"output_index":1765432100123456789}',
            ),
            (
                "half-a-surrogate-pair",
                "A string with a lone surrogate keeps its escape.",
                r'"a\uD83d"',
                "1",
                "output_index: 1",
                r'{"item_id":"a\\uD83d"}',
            ),
        ]
    },
    "both-spellings": Vector(
        "The snake_case name sets the field, the camelCase one is an extra, and both keep their spelling.",
        _COMPLETED + '"itemId":"a","item_id":"b","output_index":0,"outputIndex":null,"sequence_number":0}',
        'image_generation_call_completed { item_id: "b" output_index: 0 sequence_number: 0 '
        'extra_json: \'{"itemId":"a","outputIndex":null}\' }',
        camel=_COMPLETED + '"itemId":"a","item_id":"b","output_index":0,"outputIndex":null,"sequenceNumber":0}',
        written=_COMPLETED + '"item_id":"b","output_index":0,"sequence_number":0,"itemId":"a","outputIndex":null}',
        written_camel=_COMPLETED + '"item_id":"b","output_index":0,"sequenceNumber":0,"itemId":"a","outputIndex":null}',
    ),
    "both-spellings-and-null": Vector(
        "The same if the field cannot hold the value.",
        _COMPLETED + '"item_id":null,"itemId":"a"}',
        'image_generation_call_completed { extra_json: \'{"item_id":null,"itemId":"a"}\' }',
        camel=_COMPLETED + '"item_id":null,"itemId":"a"}',
    ),
}

UNRECOGNIZED: Final = {
    "unrecognized": _unrecognized(
        "A type outside the contract.",
        '{"type":"example.unmodelled","item":{"id":"ig_1","content":[1,2.50,null]}}',
        'type: "example.unmodelled" '
        'json: \'{"type":"example.unmodelled","item":{"id":"ig_1","content":[1,2.50,null]}}\'',
    ),
    "unrecognized-empty-type": _unrecognized(
        "An empty type is a type.", '{"type":""}', 'type: "" json: \'{"type":""}\''
    ),
    "unrecognized-escaped-type": _unrecognized(
        "The type is unescaped, and the JSON keeps the escapes.",
        r'{"type":"\u00e9\ud83d\ude00\u0000"}',
        r"""type: "\303\251\360\237\230\200\000" json: '{"type":"\\u00e9\\ud83d\\ude00\\u0000"}'""",
    ),
    "unrecognized-half-a-surrogate-pair": _unrecognized(
        "A type with a lone surrogate is only in the JSON.", r'{"type":"\udead"}', r"""json: '{"type":"\\udead"}'"""
    ),
    "unrecognized-null-type": _unrecognized(
        "A type that is not a string.", '{"type":null,"itemId":1}', 'json: \'{"type":null,"itemId":1}\''
    ),
    "unrecognized-no-type": _unrecognized(
        "An event without a type.", '{"itemId":1,"item_id":2}', 'json: \'{"itemId":1,"item_id":2}\''
    ),
    "unrecognized-nothing": _unrecognized("An object without properties.", "{}", 'json: "{}"'),
    "unrecognized-spaces": _unrecognized(
        "White space and duplicate names are preserved, and the last type wins; line ends become spaces.",
        ' { "type" : "example.first",\r\n\t"type":"example.last" }\n',
        r"""type: "example.last" json: '{ "type" : "example.first",  \t"type":"example.last" }'""",
        '{ "type" : "example.first",  \t"type":"example.last" }',
    ),
    "unrecognized-item": _item(
        "An item with a type outside the contract.",
        '{"type":"example.item","item_id":[{"outputIndex": 1.0}]}',
        'type: "example.item" json: \'{"type":"example.item","item_id":[{"outputIndex": 1.0}]}\'',
    ),
    "unrecognized-item-no-type": _item("An item without a type.", '{"callId":"c"}', 'json: \'{"callId":"c"}\''),
    "unrecognized-item-of-an-array": _item("An item that is not an object.", "[null]", "json: '[null]'"),
    "unrecognized-elements": Vector(
        "A list of unions can hold any element.",
        '{"type":"response.completed","response":{"output":[null,{"type":"compaction","id":"cmp_1"},1.50,"a",[],'
        '{"type":1}]}}',
        "completed { response { output { items { unrecognized { json: 'null' } } "
        "items { compaction { id: \"cmp_1\" } } items { unrecognized { json: '1.50' } } "
        "items { unrecognized { json: '\"a\"' } } items { unrecognized { json: '[]' } } "
        "items { unrecognized { json: '{\"type\":1}' } } } } }",
    ),
}
