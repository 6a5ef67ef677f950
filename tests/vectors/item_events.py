"""Vectors of events with output items: messages, reasoning and tool calls."""

from __future__ import annotations

from typing import Final

from .vector import Vector


def _done(about: str, item: str, text: str, **more: str) -> Vector:
    """A vector of an output item in `response.output_item.done`."""
    snake = f'{{"type":"response.output_item.done","output_index":1,"item":{item},"sequence_number":9}}'
    return Vector(about, snake, f"output_item_done {{ output_index: 1 item {{ {text} }} sequence_number: 9 }}", **more)


ITEM_EVENTS: Final = {
    "content-part-added": Vector(
        "A part is a union: its type selects the member and is not a field.",
        '{"type":"response.content_part.added","output_index":0,"item_id":"msg_1","content_index":0,'
        '"part":{"type":"output_text","text":"","annotations":[],"logprobs":[]},"sequence_number":3}',
        'content_part_added { output_index: 0 item_id: "msg_1" content_index: 0 '
        'part { output_text { text: "" annotations { } logprobs { } } } sequence_number: 3 }',
    ),
    "reasoning-summary-part-added": Vector(
        "A union with a single type of object.",
        '{"type":"response.reasoning_summary_part.added","item_id":"rs_1","output_index":0,"summary_index":0,'
        '"part":{"type":"summary_text","text":""},"sequence_number":2}',
        'reasoning_summary_part_added { item_id: "rs_1" output_index: 0 summary_index: 0 '
        'part { summary_text { text: "" } } sequence_number: 2 }',
        written='{"type":"response.reasoning_summary_part.added","output_index":0,"item_id":"rs_1","summary_index":0,'
        '"part":{"type":"summary_text","text":""},"sequence_number":2}',
    ),
    "annotation-added": Vector(
        "A single annotation.",
        '{"type":"response.output_text.annotation.added","output_index":0,"item_id":"msg_1","content_index":0,'
        '"sequence_number":7,"annotation_index":0,"annotation":{"type":"url_citation",'
        '"url":"https://example.org/a?b=c&d","title":"Tides","start_index":0,"end_index":8}}',
        'output_text_annotation_added { output_index: 0 item_id: "msg_1" content_index: 0 sequence_number: 7 '
        'annotation_index: 0 annotation { url_citation { url: "https://example.org/a?b=c&d" title: "Tides" '
        "start_index: 0 end_index: 8 } } }",
    ),
    "item-message": _done(
        "A message with nested lists of unions.",
        '{"type":"message","id":"msg_1","role":"assistant","status":"completed","content":['
        '{"type":"output_text","text":"The tide turns.","annotations":['
        '{"type":"file_citation","file_id":"file_1","filename":"tides.txt","index":3},'
        '{"type":"container_file_citation","container_id":"cntr_1","end_index":2,"file_id":"cfile_1",'
        '"filename":"a.csv","start_index":0}]},{"type":"refusal","refusal":"No."}]}',
        'message { id: "msg_1" role: "assistant" status: "completed" content { items { output_text { '
        'text: "The tide turns." annotations { '
        'items { file_citation { file_id: "file_1" filename: "tides.txt" index: 3 } } '
        'items { container_file_citation { container_id: "cntr_1" end_index: 2 file_id: "cfile_1" '
        'filename: "a.csv" start_index: 0 } } } } } items { refusal { refusal: "No." } } } }',
    ),
    "item-function-call": _done(
        "A call by a program; the field of `async`, a reserved word in some languages, has another name.",
        '{"type":"function_call","id":"fc_1","name":"tides","arguments":"{}","call_id":"call_1","status":"completed",'
        '"async":false,"caller":{"type":"program","caller_id":"prog_1"}}',
        'function_call { id: "fc_1" name: "tides" arguments: "{}" call_id: "call_1" status: "completed" '
        'is_async: false caller { program { caller_id: "prog_1" } } }',
    ),
    "item-reasoning": _done(
        "Reasoning with an empty summary and encrypted content.",
        '{"type":"reasoning","id":"rs_1","content":[{"type":"reasoning_text","text":"Brest is a port."}],"summary":[],'
        '"encrypted_content":"gAAAAA=="}',
        'reasoning { id: "rs_1" content { items { reasoning_text { text: "Brest is a port." } } } summary { } '
        'encrypted_content: "gAAAAA==" }',
    ),
    "item-web-search-call": _done(
        "A web search with its queries and sources.",
        '{"type":"web_search_call","id":"ws_1","status":"completed","action":{"type":"search",'
        '"queries":["tides brest"],"query":"tides brest","sources":[{"type":"url","url":"https://example.org"}]}}',
        'web_search_call { id: "ws_1" status: "completed" action { search { queries { items: "tides brest" } '
        'query: "tides brest" sources { items { url { url: "https://example.org" } } } } } }',
    ),
    "item-file-search-call": _done(
        "A map of strings, numbers and booleans keeps its order; its names are data and are never respelled.",
        '{"type":"file_search_call","id":"fs_1","queries":["tides"],"status":"completed","results":[{"attributes":'
        '{"title":"t","z_year":2024,"Draft":false,"a":""},"file_id":"file_1","score":0.5}]}',
        'file_search_call { id: "fs_1" queries { items: "tides" } status: "completed" results { items { attributes { '
        'entries { name: "title" value { text: "t" } } entries { name: "z_year" value { number: 2024 } } '
        'entries { name: "Draft" value { boolean: false } } entries { name: "a" value { text: "" } } } '
        'file_id: "file_1" score: 0.5 } } }',
        camel='{"type":"response.output_item.done","outputIndex":1,"item":{"type":"file_search_call","id":"fs_1",'
        '"queries":["tides"],"status":"completed","results":[{"attributes":'
        '{"title":"t","z_year":2024,"Draft":false,"a":""},"fileId":"file_1","score":0.5}]},"sequenceNumber":9}',
    ),
    "item-code-interpreter-call-beyond-the-sdk": _done(
        "Outputs of two types.",
        '{"type":"code_interpreter_call","id":"ci_1","code":"print(1)","container_id":"cntr_1","outputs":'
        '[{"type":"logs","logs":"1\\n"},{"type":"image","url":"https://example.org/a.png"}],"status":"completed"}',
        'code_interpreter_call { id: "ci_1" code: "print(1)" container_id: "cntr_1" outputs { '
        'items { logs { logs: "1\\n" } } items { image { url: "https://example.org/a.png" } } } status: "completed" }',
    ),
    "item-mcp-list-tools-beyond-the-sdk": _done(
        "JSON text keeps its names and its tokens.",
        '{"type":"mcp_list_tools","id":"mcpl_1","server_label":"harbour","tools":[{"input_schema":{"type": "object",'
        '"properties":{"port_name":{"type":"string","max_length":1.50}}},"name":"tides","description":""}]}',
        'mcp_list_tools { id: "mcpl_1" server_label: "harbour" tools { items { input_schema_json: '
        '\'{"type": "object","properties":{"port_name":{"type":"string","max_length":1.50}}}\' '
        'name: "tides" description: "" } } }',
        camel='{"type":"response.output_item.done","outputIndex":1,"item":{"type":"mcp_list_tools","id":"mcpl_1",'
        '"serverLabel":"harbour","tools":[{"inputSchema":{"type": "object","properties":{"port_name":'
        '{"type":"string","max_length":1.50}}},"name":"tides","description":""}]},"sequenceNumber":9}',
    ),
    "item-mcp-call-beyond-the-sdk": _done(
        "A union whose value is a typed object.",
        '{"type":"mcp_call","id":"mcp_1","arguments":"{}","name":"tides","server_label":"harbour",'
        '"error":{"type":"http_error","code":404,"message":"Not Found"},"status":"failed"}',
        'mcp_call { id: "mcp_1" arguments: "{}" name: "tides" server_label: "harbour" '
        'error { http_error { code: 404 message: "Not Found" } } status: "failed" }',
    ),
    "item-mcp-call-with-a-string": _done(
        "The same union with a string as its value.",
        '{"type":"mcp_call","id":"mcp_1","error":"timed out"}',
        'mcp_call { id: "mcp_1" error { text: "timed out" } }',
    ),
    "item-shell-call-output-beyond-the-sdk": _done(
        "A type without properties, and one with a number.",
        '{"type":"shell_call_output","id":"sho_1","output":[{"outcome":{"type":"exit","exit_code":0},"stderr":"",'
        '"stdout":"ok\\n"},{"outcome":{"type":"timeout"}}]}',
        'shell_call_output { id: "sho_1" output { items { outcome { exit { exit_code: 0 } } stderr: "" '
        'stdout: "ok\\n" } '
        "items { outcome { timeout { } } } } }",
    ),
}
