"""Vectors of the most frequent events: deltas of text, reasoning and calls."""

from __future__ import annotations

from typing import Final

from .vector import Vector

DELTA_EVENTS: Final = {
    "output-text-delta": Vector(
        "The most frequent event as OpenAI's API sends it, with an empty list and padding.",
        '{"type":"response.output_text.delta","logprobs":[],"output_index":0,"item_id":"msg_1","content_index":0,'
        '"delta":"The tide","sequence_number":4,"obfuscation":"x7Qk"}',
        'output_text_delta { logprobs { } output_index: 0 item_id: "msg_1" content_index: 0 '
        'delta: "The tide" sequence_number: 4 obfuscation: "x7Qk" }',
    ),
    "output-text-delta-without-list": Vector(
        "A missing list differs from an empty one.",
        '{"type":"response.output_text.delta","item_id":"msg_1","delta":""}',
        'output_text_delta { item_id: "msg_1" delta: "" }',
    ),
    "output-text-delta-with-logprobs": Vector(
        "Nested lists of objects and of numbers.",
        '{"type":"response.output_text.delta","logprobs":[{"logprob":-0.25,"token":"The","top_logprobs":'
        '[{"token":"The","logprob":-0.25,"bytes":[84,104,101]},{"token":"A","logprob":-2.5,"bytes":[]}],'
        '"bytes":[84,104,101]},{"logprob":0,"token":" tide","top_logprobs":[]}],"delta":"The tide"}',
        'output_text_delta { logprobs { items { logprob: -0.25 token: "The" top_logprobs { '
        'items { token: "The" logprob: -0.25 bytes { items: [84, 104, 101] } } '
        'items { token: "A" logprob: -2.5 bytes { } } } bytes { items: [84, 104, 101] } } '
        'items { logprob: 0 token: " tide" top_logprobs { } } } delta: "The tide" }',
    ),
    "output-text-done": Vector(
        "A complete text.",
        '{"type":"response.output_text.done","output_index":0,"item_id":"msg_1","content_index":0,'
        '"text":"The tide turns.","sequence_number":9,"logprobs":[]}',
        'output_text_done { output_index: 0 item_id: "msg_1" content_index: 0 '
        'text: "The tide turns." sequence_number: 9 logprobs { } }',
    ),
    "refusal-delta": Vector(
        "A delta of a refusal.",
        '{"type":"response.refusal.delta","output_index":0,"item_id":"msg_1","content_index":0,'
        '"delta":"I cannot","sequence_number":5}',
        'refusal_delta { output_index: 0 item_id: "msg_1" content_index: 0 delta: "I cannot" sequence_number: 5 }',
    ),
    "reasoning-summary-text-delta": Vector(
        "A delta of a summary.",
        '{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","output_index":0,"summary_index":0,'
        '"delta":"**Checking","sequence_number":3,"obfuscation":""}',
        'reasoning_summary_text_delta { item_id: "rs_1" output_index: 0 summary_index: 0 '
        'delta: "**Checking" sequence_number: 3 obfuscation: "" }',
    ),
    "function-call-arguments-delta": Vector(
        "A fragment of JSON is an ordinary string.",
        '{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":1,"delta":"{\\"port\\":",'
        '"sequence_number":7}',
        'function_call_arguments_delta { item_id: "fc_1" output_index: 1 delta: "{\\"port\\":" sequence_number: 7 }',
    ),
    "function-call-arguments-done": Vector(
        "The arguments of a call, exactly as the model wrote them.",
        '{"type":"response.function_call_arguments.done","item_id":"fc_1","output_index":1,"name":"tides",'
        '"arguments":"{\\"port\\": \\"Brest\\"}","sequence_number":8}',
        'function_call_arguments_done { item_id: "fc_1" output_index: 1 name: "tides" '
        'arguments: "{\\"port\\": \\"Brest\\"}" sequence_number: 8 }',
    ),
    "code-interpreter-delta-beyond-the-sdk": Vector(
        "An event that the SDK lacks, with a one-byte field tag.",
        '{"type":"response.code_interpreter_call_code.delta","delta":"print(","item_id":"ci_1","output_index":0,'
        '"sequence_number":5,"obfuscation":"ab"}',
        'code_interpreter_call_code_delta { delta: "print(" item_id: "ci_1" output_index: 0 sequence_number: 5 '
        'obfuscation: "ab" }',
    ),
    "mcp-call-arguments-done-beyond-the-sdk": Vector(
        "An event that the SDK lacks, with a two-byte field tag.",
        '{"type":"response.mcp_call_arguments.done","arguments":"{}","item_id":"mcp_1","output_index":0,'
        '"sequence_number":6}',
        'mcp_call_arguments_done { arguments: "{}" item_id: "mcp_1" output_index: 0 sequence_number: 6 }',
    ),
    "custom-tool-call-input-delta-beyond-the-sdk": Vector(
        "An event that the SDK lacks.",
        '{"type":"response.custom_tool_call_input.delta","delta":"SELECT","item_id":"ctc_1","output_index":0,'
        '"sequence_number":6}',
        'custom_tool_call_input_delta { delta: "SELECT" item_id: "ctc_1" output_index: 0 sequence_number: 6 }',
    ),
    "web-search-call-searching-beyond-the-sdk": Vector(
        "An event that the SDK lacks.",
        '{"type":"response.web_search_call.searching","item_id":"ws_1","output_index":0,"sequence_number":6}',
        'web_search_call_searching { item_id: "ws_1" output_index: 0 sequence_number: 6 }',
    ),
    "error": Vector(
        "An error with a property that is `null`, which a field cannot hold.",
        '{"type":"error","code":"rate_limit_exceeded","message":"Slow down.","param":null,"sequence_number":3}',
        'error { code: "rate_limit_exceeded" message: "Slow down." sequence_number: 3 extra_json: \'{"param":null}\' }',
    ),
    "error-nested": Vector(
        "A nested error as OpenAI's API streams it: its `type` is a field, because the object is not a union member.",
        '{"type":"error","sequence_number":2,"error":{"type":"invalid_request_error","code":"x","message":"No.",'
        '"param":"input"}}',
        'error { sequence_number: 2 error { type: "invalid_request_error" code: "x" message: "No." param: "input" } }',
    ),
}
