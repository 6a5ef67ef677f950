"""A handwritten stream of mixed events in both namings: known and unknown events, items and properties.

Only the names between < and > depend on the naming. Properties are in the order of serialization.
"""

import io
import json
import re

from google.protobuf import proto

from openresponses_grpc import from_json
from openresponses_grpc.codec._schema import NAMINGS, Naming

_MARKED = [
    '{"type":"response.created","response":{"id":"resp_1","object":"response","<created_at>":1795600000,'
    '"model":"gpt-5-mini","status":"in_progress","output":[],"error":null,"<incomplete_details>":null,"usage":null,'
    '"<max_output_tokens>":null,"temperature":1,"<top_p>":0.98,"instructions":null,"metadata":{"user_id":"u_1"},'
    '"tools":[{"type":"web_search","filters":null,"<search_context_size>":"medium",'
    '"<user_location>":{"type":"approximate","city":null,"country":"FR"}}],"<tool_choice>":"auto",'
    '"<parallel_tool_calls>":true,"<previous_response_id>":null,"text":{"format":{"type":"text"}},'
    '"billing_plan":{"seat_count":1},"maxRetries":2},"<sequence_number>":0}',
    '{"type":"response.output_item.added","<output_index>":0,'
    '"item":{"type":"reasoning","id":"rs_1","summary":[],"<encrypted_content>":null},"<sequence_number>":1}',
    '{"type":"response.output_text.delta","logprobs":[{"logprob":-0.25,"token":"é","<top_logprobs>":[{"token":"e"},{}],'
    '"bytes":[195,169]}],"<output_index>":1,"<item_id>":"msg_1","<content_index>":0,"delta":"é \\n\u2028😀",'
    '"<sequence_number>":2,"obfuscation":"x1","trace_id":[{"item_id":7}]}',
    '{"type":"response.output_text.delta","logprobs":null,"<output_index>":"1","<item_id>":"msg_1","delta":""}',
    '{"type":"response.output_item.done","<output_index>":2,"item":{"type":"mcp_list_tools","id":"mcpl_1",'
    '"<server_label>":"deepwiki","tools":[{"<input_schema>":{"type":"object","required":["repo_name"],'
    '"properties":{"repo_name":{"type":"string"}}},"name":"ask","annotations":{"read_only":true},'
    '"description":null}]},"<sequence_number>":3}',
    '{"type":"response.output_item.done","<output_index>":3,"item":{"type":"hologram","item_id":"h_1","parts":[[]]}}',
    '{"type":"response.ping","item_id":"none","sequenceNumber":[1,2.50,-0,1765432100123456789]}',
    '{"type":"response.image_generation_call.generating","<item_id>":"ig_1","<output_index>":7977.54,'
    '"<sequence_number>":0}',
    '{"type":"response.completed","response":{"id":"resp_1","object":"response","<created_at>":1795600000,'
    '"model":"gpt-5-mini","status":"completed","output":[{"type":"message","id":"msg_1","role":"assistant",'
    '"status":"completed","content":[{"type":"output_text","text":"é","annotations":[{"type":"url_citation",'
    '"url":"https://example.org/","title":"T","<start_index>":0,"<end_index>":1}],"logprobs":[]},null]},'
    '{"type":"hologram","item_id":"h_1"},null,{"type":"function_call","id":"fc_1","name":"remind",'
    '"arguments":"{\\"call_id\\":1}","<call_id>":"call_1","status":"completed"}],'
    '"usage":{"<input_tokens>":120,"<input_tokens_details>":{"<cached_tokens>":64},"<output_tokens>":9,'
    '"<output_tokens_details>":{"<reasoning_tokens>":1},"<total_tokens>":129,"<is_byok>":false,'
    '"<cost_details>":{"<upstream_inference_cost>":null},"tokens_per_second":88.5}},"<sequence_number>":9}',
]


def _spelled(text: str, naming: Naming) -> bytes:
    def spell(match: re.Match[str]) -> str:
        return match[1] if naming == "snake_case" else re.sub("_(.)", lambda letter: letter[1].upper(), match[1])

    return re.sub("<([a-z_]+)>", spell, text).encode()


MIXED: dict[Naming, list[bytes]] = {naming: [_spelled(text, naming) for text in _MARKED] for naming in NAMINGS}
"""The JSON of each event by naming."""


def mixed_stream(name: str, naming: Naming) -> bytes:
    """The whole stream in a format and a naming."""
    if name == "ndjson":
        return b"".join(line + b"\n" for line in MIXED[naming])
    if name == "sse":
        events = [b"event: %b\ndata: %b\n\n" % (json.loads(line)["type"].encode(), line) for line in MIXED[naming]]
        return b"".join(events) + b"data: [DONE]\n\n"
    stream = io.BytesIO()
    for line in MIXED[naming]:
        proto.serialize_length_prefixed(from_json(line), stream)
    return stream.getvalue()
