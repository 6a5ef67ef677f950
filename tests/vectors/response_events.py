"""Vectors of events that contain a whole response."""

from __future__ import annotations

from typing import Final

from .vector import Vector

RESPONSE_EVENTS: Final = {
    "response-created": Vector(
        "A new response: many properties are `null` and become extras.",
        '{"type":"response.created","response":{"id":"resp_1","object":"response","created_at":1764000000,'
        '"model":"m","status":"in_progress","output":[],"error":null,"incomplete_details":null,"usage":null,'
        '"temperature":1,"instructions":null,"metadata":{},"tools":[],"tool_choice":"auto","parallel_tool_calls":true,'
        '"reasoning":{"effort":null,"summary":null},"store":true,"text":{"format":{"type":"text"}}},'
        '"sequence_number":0}',
        'created { response { id: "resp_1" object: "response" created_at: 1764000000 model: "m" status: "in_progress" '
        'output { } temperature: 1 metadata { } tools { } tool_choice { mode: "auto" } parallel_tool_calls: true '
        'reasoning { extra_json: \'{"effort":null,"summary":null}\' } store: true text { format { text { } } } '
        'extra_json: \'{"error":null,"incomplete_details":null,"usage":null,"instructions":null}\' } '
        "sequence_number: 0 }",
    ),
    "response-completed": Vector(
        "A complete response with items, usage, tools, a map and the JSON text of a schema.",
        '{"type":"response.completed","response":{"id":"resp_1","object":"response","created_at":1764000000.5,'
        '"model":"m","status":"completed","output":[{"type":"reasoning","id":"rs_1","summary":'
        '[{"type":"summary_text","text":"Checking"}]},{"type":"message","id":"msg_1","role":"assistant",'
        '"content":[{"type":"output_text","text":"The tide turns.","annotations":[]}],"phase":"final_answer"}],'
        '"usage":{"input_tokens":12,"input_tokens_details":{"cached_tokens":0},"output_tokens":5,'
        '"output_tokens_details":{"reasoning_tokens":2},"total_tokens":17,"cost":0.000125,"is_byok":false,'
        '"cost_details":{"upstream_inference_input_cost":1e-7,"upstream_inference_output_cost":0}},'
        '"metadata":{"b":"2","a":"1"},"tools":[{"type":"function","name":"tides","strict":true,"parameters":'
        '{"type":"object","properties":{}}},{"type":"web_search"}],"tool_choice":{"type":"function","name":"tides"},'
        '"parallel_tool_calls":false,"text":{"format":{"type":"json_schema","name":"s","schema":{}},'
        '"verbosity":"low"}},"sequence_number":41}',
        'completed { response { id: "resp_1" object: "response" created_at: 1764000000.5 model: "m" '
        'status: "completed" output { items { reasoning { id: "rs_1" summary { items { summary_text { '
        'text: "Checking" } } } } } items { message { id: "msg_1" role: "assistant" content { items { output_text { '
        'text: "The tide turns." annotations { } } } } phase: "final_answer" } } } usage { input_tokens: 12 '
        "input_tokens_details { cached_tokens: 0 } output_tokens: 5 output_tokens_details { reasoning_tokens: 2 } "
        "total_tokens: 17 cost: 0.000125 is_byok: false cost_details { upstream_inference_input_cost: 1e-7 "
        'upstream_inference_output_cost: 0 } } metadata { entries { name: "b" value: "2" } '
        'entries { name: "a" value: "1" } } tools { items { function { name: "tides" strict: true '
        'parameters_json: \'{"type":"object","properties":{}}\' } } items { web_search { } } } '
        'tool_choice { function { name: "tides" } } parallel_tool_calls: false text { format { json_schema { '
        'name: "s" schema_json: "{}" } } verbosity: "low" } } sequence_number: 41 }',
    ),
    "response-failed": Vector(
        "A failed response.",
        '{"type":"response.failed","response":{"id":"resp_1","status":"failed","output":[],'
        '"error":{"code":"server_error","message":"Try again."}},"sequence_number":7}',
        'failed { response { id: "resp_1" status: "failed" output { } '
        'error { code: "server_error" message: "Try again." } } sequence_number: 7 }',
    ),
    "response-incomplete": Vector(
        "An incomplete response.",
        '{"type":"response.incomplete","response":{"id":"resp_1","status":"incomplete",'
        '"incomplete_details":{"reason":"max_output_tokens"},"max_output_tokens":16},"sequence_number":7}',
        'incomplete { response { id: "resp_1" status: "incomplete" '
        'incomplete_details { reason: "max_output_tokens" } max_output_tokens: 16 } sequence_number: 7 }',
    ),
    "response-queued-beyond-the-sdk": Vector(
        "An event that the SDK lacks, with a response that lacks most properties.",
        '{"type":"response.queued","response":{"status":"queued","background":true},"sequence_number":1}',
        'queued { response { status: "queued" background: true } sequence_number: 1 }',
    ),
    "instructions-of-a-string": Vector(
        "A union whose value is a string.",
        '{"type":"response.in_progress","response":{"instructions":"Be brief."}}',
        'in_progress { response { instructions { text: "Be brief." } } }',
    ),
    "instructions-of-a-list": Vector(
        "The same union with a list as its value, which contains an untyped object, and a string in place of a list.",
        '{"type":"response.in_progress","response":{"instructions":[{"role":"developer","content":"Be brief."},'
        '{"type":"message","role":"user","content":[{"type":"input_text","text":"Tides?"},'
        '{"type":"input_image","detail":"auto","image_url":null}]}]}}',
        "in_progress { response { instructions { items { "
        'items { untyped_message { role: "developer" content { text: "Be brief." } } } '
        'items { message { role: "user" content { parts { items { input_text { text: "Tides?" } } '
        'items { input_image { detail: "auto" extra_json: \'{"image_url":null}\' } } } } } } } } } }',
    ),
    "prompt-variables": Vector(
        "A map with a union as its value type, and arbitrary names.",
        '{"type":"response.in_progress","response":{"prompt":{"id":"pmpt_1","variables":{"":"a",'
        '"__proto__":{"type":"input_text","text":"b"},"itemId":["c"]}}}}',
        'in_progress { response { prompt { id: "pmpt_1" variables { entries { name: "" value { text: "a" } } '
        'entries { name: "__proto__" value { input_text { text: "b" } } } '
        'entries { name: "itemId" value { unrecognized { json: \'["c"]\' } } } } } } }',
        camel='{"type":"response.in_progress","response":{"prompt":{"id":"pmpt_1","variables":{"":"a",'
        '"__proto__":{"type":"input_text","text":"b"},"itemId":["c"]}}}}',
    ),
    "tools-beyond-the-sdk": Vector(
        "Unions by JSON type: a list or an untyped object, a string or an object, typed or untyped.",
        '{"type":"response.in_progress","response":{"tools":[{"type":"mcp","server_label":"harbour",'
        '"allowed_tools":["tides"],"headers":{},"require_approval":"never"},{"type":"mcp","allowed_tools":'
        '{"read_only":true,"tool_names":[]},"require_approval":{"never":{"tool_names":["tides"]}}},'
        '{"type":"code_interpreter","container":"cntr_1"},{"type":"code_interpreter","container":{"type":"auto"}}]}}',
        'in_progress { response { tools { items { mcp { server_label: "harbour" '
        'allowed_tools { tool_names { items: "tides" } } headers { } require_approval { mode: "never" } } } '
        "items { mcp { allowed_tools { filter { read_only: true tool_names { } } } "
        'require_approval { filter { never { tool_names { items: "tides" } } } } } } '
        'items { code_interpreter { container { id: "cntr_1" } } } '
        "items { code_interpreter { container { auto { } } } } } } }",
    ),
}
