"""A fuzz target: `python -m tests.fuzz.target READER [libFuzzer's flags, a corpus, or inputs to try again]`.

READER is `json`, one event, or a format of streams. Needs atheris; `run` says how targets are run.
"""

import sys

import atheris  # type: ignore[import-untyped]  # has wheels for few platforms: not among the tests' packages

with atheris.instrument_imports(include=["openresponses_grpc"]):
    from openresponses_grpc.codec import NAMINGS

    from .properties import check_json, check_stream
    from .seeds import HEADER_BYTES

READER = sys.argv.pop(1)


def check(data: bytes) -> None:
    header, data = data[:HEADER_BYTES].ljust(HEADER_BYTES, b"\0"), data[HEADER_BYTES:]
    naming, strict = NAMINGS[header[0] & 1], bool(header[0] & 2)
    if READER == "json":
        check_json(data, naming, strict)
        return
    chunks: list[bytes] = []
    while data:
        size = header[1 + len(chunks) % (HEADER_BYTES - 1)] or len(data)
        chunks.append(data[:size])
        data = data[size:]
    check_stream(READER, chunks, naming, strict)


atheris.Setup(sys.argv, check)
atheris.Fuzz()
