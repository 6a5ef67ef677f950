"""Inputs that do not match their format, and the expected errors."""

import gzip
import json
from typing import NamedTuple

from .events import GENERATING_JSON

SSE = b"event: response.created\ndata: " + GENERATING_JSON + b"\n\n"
NDJSON = GENERATING_JSON + b"\n"
PRETTY = json.dumps(json.loads(GENERATING_JSON), indent=2).encode() + b"\n"
ERROR = {"error": {"message": "no such key", "type": "invalid_request_error"}}
PRETTY_ERROR = json.dumps(ERROR, indent=2).encode() + b"\n"
PAGE = (
    b"<!doctype html>\n<html>\n<head><title>503</title><style>p {}</style></head>\n"
    b"<body>\nout of order</body>\n</html>\n"
)
BOM = b"\xef\xbb\xbf"


class NotAStream(NamedTuple):
    """An input, the format to read it as, the number of events before the error, and the error's line and text."""

    format: str
    data: bytes
    events: int
    line: int
    says: str


NOT_STREAMS = {
    "SSE: a JSON error body": NotAStream("sse", PRETTY_ERROR, 0, 1, "a JSON error body: no such key"),
    "SSE: a JSON error body on one line": NotAStream(
        "sse", b'{"detail":"not here"}\n', 0, 1, "a JSON error body: not here"
    ),
    "SSE: a JSON error body without a line end": NotAStream("sse", b'{"error":"no"}', 0, 1, "a JSON error body: no"),
    "SSE: a truncated JSON error body": NotAStream("sse", PRETTY_ERROR[:40], 0, 1, '"message": "no such'),
    "SSE: an error body in an array": NotAStream(
        "sse", json.dumps([ERROR]).encode(), 0, 1, "a JSON error body: no such key"
    ),
    "SSE: an error line between events": NotAStream(
        "sse", SSE + json.dumps(ERROR).encode() + b"\n" + SSE, 1, 4, "a JSON error body: no such key"
    ),
    "SSE: an error body before an event": NotAStream("sse", b"{\n" + SSE, 0, 1, "it looks like JSON: {"),
    "SSE: a line of bare event JSON": NotAStream("sse", SSE + b'{"type":"error","message":"late"}\n', 1, 4, "late"),
    "SSE: HTML": NotAStream("sse", PAGE, 0, 1, "HTML: 503 out of order"),
    "SSE: truncated HTML": NotAStream("sse", PAGE[:60], 0, 1, "HTML: 503"),
    "SSE: plain text": NotAStream("sse", b"upstream is down\n", 0, 1, "starts with 'upstream is down'"),
    "SSE: comments without events": NotAStream("sse", b"\n: WAIT\n\n: WAIT\n\n", 0, 2, "no server-sent events"),
    "SSE: event names without data": NotAStream("sse", b"event: ping\n\n", 0, 1, "no server-sent events"),
    "SSE: gzip": NotAStream("sse", gzip.compress(SSE), 0, 1, "gzip"),
    "SSE: UTF-16": NotAStream("sse", SSE.decode().encode("utf-16"), 0, 1, "UTF-16"),
    "SSE: UTF-16 without a byte order mark": NotAStream("sse", SSE.decode().encode("utf-16-be"), 0, 1, "UTF-16"),
    "SSE: NDJSON": NotAStream("sse", NDJSON * 2, 0, 1, "--from ndjson"),
    "SSE: a JSON array": NotAStream("sse", b"[" + GENERATING_JSON + b"]", 0, 1, "a JSON array"),
    "SSE: two concatenated files": NotAStream("sse", SSE + BOM + SSE, 1, 4, "a byte order mark"),
    "SSE: a NUL": NotAStream("sse", SSE + b"\0\n" + SSE, 1, 4, "binary"),
    "SSE: Latin-1": NotAStream("sse", SSE + b"caf\xe9\n" + SSE, 1, 4, "UTF-8"),
    "SSE: plain text as data of an error event": NotAStream(
        "sse", SSE + b"event: error\ndata: slow down\n\n", 1, 5, "event 'error': slow down"
    ),
    "SSE: without blank lines": NotAStream("sse", SSE.strip() + b"\n" + SSE, 0, 2, "without blank lines"),
    "SSE: without line ends": NotAStream("sse", SSE.strip() * 2 + b"\n\n", 0, 2, "without line ends"),
    "NDJSON: SSE": NotAStream("ndjson", SSE, 0, 1, "--from sse"),
    "NDJSON: SSE that starts with a comment": NotAStream("ndjson", b": hello\n\n" + SSE, 0, 1, "--from sse"),
    "NDJSON: a JSON array": NotAStream("ndjson", b"[" + GENERATING_JSON + b"]\n", 0, 1, "a JSON array"),
    "NDJSON: a JSON array over several lines": NotAStream(
        "ndjson", b"[\n" + GENERATING_JSON + b"\n]\n", 0, 1, "a JSON array"
    ),
    "NDJSON: pretty-printed JSON": NotAStream("ndjson", PRETTY, 0, 1, "pretty-printed JSON"),
    "NDJSON: pretty-printed events": NotAStream("ndjson", PRETTY * 2, 0, 1, "pretty-printed JSON"),
    "NDJSON: pretty-printed JSON after an event": NotAStream("ndjson", NDJSON + PRETTY, 1, 2, "pretty-printed JSON"),
    "NDJSON: a JSON error body": NotAStream("ndjson", PRETTY_ERROR, 0, 1, "a JSON error body: no such key"),
    "NDJSON: concatenated JSON": NotAStream("ndjson", GENERATING_JSON * 2, 0, 1, "concatenated JSON"),
    "NDJSON: HTML": NotAStream("ndjson", PAGE, 0, 1, "HTML: 503 out of order"),
    "NDJSON: gzip": NotAStream("ndjson", gzip.compress(NDJSON), 0, 1, "gzip"),
    "NDJSON: zstd": NotAStream("ndjson", b"\x28\xb5\x2f\xfd\x20\x00", 0, 1, "zstd"),
    "NDJSON: UTF-16": NotAStream("ndjson", NDJSON.decode().encode("utf-16"), 0, 1, "UTF-16"),
    "NDJSON: UTF-16 without a byte order mark": NotAStream(
        "ndjson", NDJSON.decode().encode("utf-16-le"), 0, 1, "UTF-16"
    ),
    "NDJSON: binary": NotAStream("ndjson", b"\x05\x82\x01\x02{}\n", 0, 1, "--from protobuf"),
    "NDJSON: two concatenated files": NotAStream("ndjson", NDJSON + BOM + NDJSON, 1, 2, "a byte order mark"),
    "NDJSON: the done marker of SSE": NotAStream("ndjson", NDJSON + b"[DONE]\n", 1, 2, "data: [DONE]"),
    "NDJSON: plain text": NotAStream("ndjson", b"upstream is down\n", 0, 1, "'upstream is down'"),
    "protobuf: SSE": NotAStream("protobuf", SSE, 0, 1, "--from sse"),
    "protobuf: NDJSON": NotAStream("protobuf", NDJSON, 0, 1, "--from ndjson"),
    "protobuf: HTML": NotAStream("protobuf", PAGE, 0, 1, "HTML"),
    "protobuf: gzip": NotAStream("protobuf", gzip.compress(NDJSON), 0, 1, "gzip"),
}
