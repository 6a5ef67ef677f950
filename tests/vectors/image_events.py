"""Vectors of the image generation events."""

from __future__ import annotations

from typing import Final

from .vector import Vector

_ZEROS: Final = "Every field is set to an empty or zero value, which differs from unset."

IMAGE_EVENTS: Final = {
    "generating": Vector(
        "The example in the SDK's documentation.",
        '{"type":"response.image_generation_call.generating",'
        '"item_id":"<id>","output_index":7977.54,"sequence_number":0}',
        'image_generation_call_generating { item_id: "<id>" output_index: 7977.54 sequence_number: 0 }',
    ),
    "completed": Vector(
        "The example in the SDK's documentation.",
        '{"type":"response.image_generation_call.completed",'
        '"item_id":"<id>","output_index":3469.55,"sequence_number":0}',
        'image_generation_call_completed { item_id: "<id>" output_index: 3469.55 sequence_number: 0 }',
    ),
    "in-progress": Vector(
        "An event with a value in every field.",
        '{"type":"response.image_generation_call.in_progress","item_id":"ig_1","output_index":1,"sequence_number":2}',
        'image_generation_call_in_progress { item_id: "ig_1" output_index: 1 sequence_number: 2 }',
    ),
    "partial-image": Vector(
        "An event with a value in every field that the SDK has.",
        '{"type":"response.image_generation_call.partial_image","item_id":"ig_1","output_index":1,"sequence_number":4,'
        '"partial_image_b64":"iVBORw0KGgo=","partial_image_index":2}',
        'image_generation_call_partial_image { item_id: "ig_1" output_index: 1 sequence_number: 4 '
        'partial_image_b64: "iVBORw0KGgo=" partial_image_index: 2 }',
    ),
    "partial-image-beyond-the-sdk": Vector(
        "The same event with properties that only OpenAI's API sends.",
        '{"type":"response.image_generation_call.partial_image","item_id":"ig_1","output_index":1,"sequence_number":4,'
        '"partial_image_b64":"iVBORw0KGgo=","partial_image_index":2,'
        '"background":"opaque","output_format":"png","quality":"high","size":"1024x1536"}',
        'image_generation_call_partial_image { item_id: "ig_1" output_index: 1 sequence_number: 4 '
        'partial_image_b64: "iVBORw0KGgo=" partial_image_index: 2 '
        'background: "opaque" output_format: "png" quality: "high" size: "1024x1536" }',
    ),
    "generating-zeros": Vector(
        _ZEROS,
        '{"type":"response.image_generation_call.generating","item_id":"","output_index":0,"sequence_number":0}',
        'image_generation_call_generating { item_id: "" output_index: 0 sequence_number: 0 }',
    ),
    "completed-zeros": Vector(
        _ZEROS,
        '{"type":"response.image_generation_call.completed","item_id":"","output_index":0,"sequence_number":0}',
        'image_generation_call_completed { item_id: "" output_index: 0 sequence_number: 0 }',
    ),
    "in-progress-zeros": Vector(
        _ZEROS,
        '{"type":"response.image_generation_call.in_progress","item_id":"","output_index":0,"sequence_number":0}',
        'image_generation_call_in_progress { item_id: "" output_index: 0 sequence_number: 0 }',
    ),
    "partial-image-zeros": Vector(
        _ZEROS,
        '{"type":"response.image_generation_call.partial_image","item_id":"","output_index":0,"sequence_number":0,'
        '"partial_image_b64":"","partial_image_index":0}',
        'image_generation_call_partial_image { item_id: "" output_index: 0 sequence_number: 0 '
        'partial_image_b64: "" partial_image_index: 0 }',
    ),
    "no-properties": Vector(
        "No properties, so no field is set.",
        '{"type":"response.image_generation_call.completed"}',
        "image_generation_call_completed { }",
    ),
    "properties-in-another-order": Vector(
        "The order of properties and white space are insignificant; serialization uses the contract's order.",
        ' {"sequence_number" : 2,\n"output_index":1,"item_id":"ig_1",'
        '"type":"response.image_generation_call.completed"}\n',
        'image_generation_call_completed { item_id: "ig_1" output_index: 1 sequence_number: 2 }',
        camel=' {"sequenceNumber" : 2,\n"outputIndex":1,"itemId":"ig_1",'
        '"type":"response.image_generation_call.completed"}\n',
        written='{"type":"response.image_generation_call.completed",'
        '"item_id":"ig_1","output_index":1,"sequence_number":2}',
    ),
    "a-name-twice": Vector(
        "The last of duplicate names wins, also for `type` and for escaped names.",
        '{"type":"response.image_generation_call.generating","item_id":1,"output_index":1,"output_index":null,'
        '"\\u0069tem_id":"ig_1","type":"response.image_generation_call.completed","output_index":2,"sequence_number":3}',
        'image_generation_call_completed { item_id: "ig_1" output_index: 2 sequence_number: 3 }',
        camel='{"type":"response.image_generation_call.generating","itemId":1,"outputIndex":1,"outputIndex":null,'
        '"\\u0069temId":"ig_1","type":"response.image_generation_call.completed","outputIndex":2,"sequenceNumber":3}',
        written='{"type":"response.image_generation_call.completed",'
        '"item_id":"ig_1","output_index":2,"sequence_number":3}',
    ),
}
