"""Seeds for fuzzing: `python -m tests.fuzz.seeds FOLDER` writes a corpus for each target, and the dictionary."""

import json
import sys
from pathlib import Path

from openresponses_grpc import json_to_protobuf

from ..codec.samples import around, object_of, objects
from ..codec.shapes import literal, messages, properties, shape, snake
from ..support.stream_seeds import STREAMS
from ..support.stream_seeds import TOKENS as STREAM_TOKENS

VECTORS = [json.loads(path.read_text()) for path in sorted(Path(__file__).parents[1].glob("vectors/*.json"))]
SAMPLES = [
    json.dumps(around(message, object_of(message, naming, list(properties(message))), naming).value).encode()
    for message in objects()
    for naming in ("camelCase", "snake_case")
]
"""An event for each object of the contract, with all properties of the object."""

JSON = [*SAMPLES, *(vector["snake_case"].encode() for vector in VECTORS if len(vector["hex"]) < 4096)]

NAMES = sorted({snake(field) for message in messages() if shape(message) == "object" for field in properties(message)})
TYPES = sorted({literal(message) for message in messages()} - {""})
TOKENS = [
    *(b'"%b":' % name.encode() for name in NAMES),
    *(b'"type":"%b"' % type.encode() for type in TYPES),
    *(b'"extra_json":{}', b'"unrecognized":', b'"items":[]', b'"__proto__":', b"9007199254740993", b"1e309"),
    *STREAM_TOKENS,
]
"""Bytes with a meaning for some reader."""

HEADER_BYTES = 5
"""The size of an input's header: one byte of options, then the sizes of chunks; 0 means the rest."""


def main(folder: Path) -> None:
    deep = b'{"type":"x","y":' + b"[" * 110 + b"]" * 110 + b"}"  # deeper than the limit
    inputs = {
        "json": [*JSON, deep],
        "message": [json_to_protobuf(text) for text in JSON],
        **{name: [*parts, b"".join(parts)] for name, parts in STREAMS.items()},
    }
    headers = [bytes(HEADER_BYTES), b"\x01\x07\x40\x01\xff", b"\x02\x3f\xff\x20\x00"]
    for target, texts in inputs.items():
        corpus = folder / target
        corpus.mkdir(parents=True, exist_ok=True)
        for number, text in enumerate(texts):
            (corpus / f"seed-{number}").write_bytes(headers[number % len(headers)] + text)
    lines = ('"' + "".join(f"\\x{byte:02x}" for byte in token) + '"\n' for token in dict.fromkeys(TOKENS))
    (folder / "tokens").write_text("".join(lines))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
