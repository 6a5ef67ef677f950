"""Valid inputs for every reader, which tests and fuzz targets mutate."""

import json
import re
from functools import partial

from openresponses_grpc import json_to_protobuf, protobuf_to_json
from openresponses_grpc.codec._schema import NAMINGS
from openresponses_grpc.framing import FORMATS

from .events import GENERATING_JSON
from .mixed_stream import MIXED

JSON = [
    GENERATING_JSON,
    *MIXED["snake_case"],
    json.dumps(json.loads(GENERATING_JSON) | {"size": [1, {"x": "\U0001f600"}], "": None}).encode(),
    b'{"type":"response.created",\r\n "response":{"n":[-0, 1e400, true, null], "text":"\\u00e9 \\ud83d \\n"}}',
]
"""Various events, with unknown properties, odd values and unknown types."""

EVENTS = [json_to_protobuf(text) for text in JSON]

_WRITERS = {name: format.writer(partial(protobuf_to_json, naming="camelCase")) for name, format in FORMATS.items()}

STREAMS = {
    name: [*(b"".join(writer.write([made])) for made in EVENTS), writer.close()] for name, writer in _WRITERS.items()
}
"""A stream of these events in every format: the bytes of each event, and of the end."""

_NAMES = {name for naming in NAMINGS for line in MIXED[naming] for name in re.findall(rb'"([A-Za-z_.]+)"', line)}

TOKENS = [
    *(b'"%b":' % name for name in sorted(_NAMES)),
    *(b'data: {"type":"x"}\r\n\r\n', b'data: {"type":\r\ndata: "x"}\r\n\r\n', b'{"type":"x"}\r\n'),
    *(b"\n", b"\r", b"\r\n", b"\n\n", b"\xef\xbb\xbf", b"data:", b"data: ", b"data: [DONE]\n\n", b"event: ", b":"),
    *(b"{", b"}", b"[", b"]", b'"', b",", b" ", b"\\", b"\\ud800", b"\\u0000", b"\x00", b"\xc3", b"\xed\xa0\x80"),
    *(b"-0", b"-0.0", b"1e400", b"1e-400", b"9" * 20, b"null", b"true", b"NaN", b"{}", b'{"type":"x"}'),
    *(b"\x80", b"\xff\xff\xff\xff\x07", b"\x80\x80\x80\x80\x08", b"\x0a\x00", b"\x7a\x02", b"\x82\x01\x02{}", b"\x7b"),
]
"""Bytes with a meaning for some reader."""
