"""Valid inputs of every reader, for tests and fuzz targets to change.

As a command it makes what the fuzz targets start from: `python -m tests.fuzz.seeds FOLDER`.
"""

import json
import sys
from pathlib import Path

from openresponses_grpc import from_json
from openresponses_grpc.codec import NAMINGS, contract
from openresponses_grpc.framing import FORMATS

VALUES: dict[type, object] = {str: "é<id>", float: 7977.54, bool: True}
MODELLED = [
    {"type": codec.type} | {name: VALUES[kind.python_type] for name, _, _, kind in codec.properties}
    for codec in contract("camelCase").by_type.values()
]

JSON = [
    *(json.dumps(made, ensure_ascii=False).encode() for made in MODELLED),
    json.dumps(MODELLED[0] | {"size": [1, {"x": "\U0001f600"}], "": None}).encode(),
    b'{"type":"response.created",\r\n "response":{"n":[-0, 1e400, true, null], "text":"\\u00e9 \\n"}}',
]
"""An event of every type, one with further properties and one that the contract does not model."""

EVENTS = [from_json(text) for text in JSON]

STREAMS = {
    name: [*(b"".join(format.writer("camelCase").write([made])) for made in EVENTS), format.writer("camelCase").close()]
    for name, format in FORMATS.items()
}
"""A stream of these events in every format: the bytes of each, and of the end."""

NAMES = {name for naming in NAMINGS for codec in contract(naming).by_type.values() for name, *_ in codec.properties}

TOKENS = [
    *(b'"%b":' % name.encode() for name in ("type", *sorted(NAMES))),
    *(b'"%b"' % type_name.encode() for type_name in contract("camelCase").by_type),
    *(b'data: {"type":"x"}\r\n\r\n', b'data: {"type":\r\ndata: "x"}\r\n\r\n', b'{"type":"x"}\r\n'),
    *(b"\n", b"\r", b"\r\n", b"\n\n", b"\xef\xbb\xbf", b"data:", b"data: ", b"data: [DONE]\n\n", b"event: ", b":"),
    *(b"{", b"}", b"[", b"]", b'"', b",", b" ", b"\\", b"\\ud800", b"\\u0000", b"\x00", b"\xc3", b"\xed\xa0\x80"),
    *(b"-0", b"-0.0", b"1e400", b"1e-400", b"9" * 20, b"null", b"true", b"NaN", b"{}", b'{"type":"x"}'),
    *(b"\x80", b"\xff\xff\xff\xff\x07", b"\x80\x80\x80\x80\x08", b"\x0a\x00", b"\x7a\x02", b"\x82\x01\x02{}", b"\x7b"),
]
"""Bytes that mean something to some reader."""

HEADER_BYTES = 5
"""What a fuzz target's input begins with: one byte for the options, the others for the chunks' sizes; 0 is the rest."""


def main(folder: Path) -> None:
    """Makes a corpus for each fuzz target, and the dictionary for all of them."""
    deep = b'{"type":"x","y":' + b"[" * 1100 + b"]" * 1100 + b"}"  # deeper than the parser goes
    inputs = {"json": [*JSON, deep], **{name: [*parts, b"".join(parts)] for name, parts in STREAMS.items()}}
    headers = [bytes(HEADER_BYTES), b"\x01\x07\x40\x01\xff", b"\x02\x3f\xff\x20\x00"]
    for reader, texts in inputs.items():
        corpus = folder / reader
        corpus.mkdir(parents=True, exist_ok=True)
        for number, text in enumerate(texts):
            (corpus / f"seed-{number}").write_bytes(headers[number % len(headers)] + text)
    lines = ('"' + "".join(f"\\x{byte:02x}" for byte in token) + '"\n' for token in TOKENS)
    (folder / "tokens").write_text("".join(lines))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
