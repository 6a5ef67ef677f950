"""A fuzz target: `python -m tests.fuzz.target TARGET [flags of libFuzzer, a corpus, or inputs to reproduce]`.

TARGET is `json` (one event), `message` (one serialized event) or a stream format. Requires atheris; see `run`.
"""

import sys

import atheris  # type: ignore[import-untyped]  # not a test dependency: it has wheels for few platforms only

with atheris.instrument_imports(include=["openresponses_grpc"]):
    from openresponses_grpc.codec._schema import NAMINGS

    from ..support.stream_properties import check_stream
    from .properties import check_message, check_round_trip, check_strict
    from .seeds import HEADER_BYTES

TARGET = sys.argv.pop(1)


def check(data: bytes) -> None:
    header, data = data[:HEADER_BYTES].ljust(HEADER_BYTES, b"\0"), data[HEADER_BYTES:]
    naming, strict = NAMINGS[header[0] & 1], bool(header[0] & 2)
    if TARGET == "message":
        check_message(data)
    elif TARGET == "json":
        (check_strict if strict else check_round_trip)(data, naming)
    else:
        check_stream(TARGET, chunks(header, data), strict)


def chunks(header: bytes, data: bytes) -> list[bytes]:
    """Splits the data into chunks of the sizes in the header."""
    found: list[bytes] = []
    while data:
        size = header[1 + len(found) % (HEADER_BYTES - 1)] or len(data)
        found.append(data[:size])
        data = data[size:]
    return found


atheris.Setup(sys.argv, check)
atheris.Fuzz()
