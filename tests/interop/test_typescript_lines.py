"""The TypeScript example splits lines like Python on Node 20 and 24, and prints each event on one line."""

import json
import shutil
import subprocess

import pytest

from openresponses_grpc import json_to_protobuf, protobuf_to_json
from openresponses_grpc.framing import FORMATS
from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.store import Append, MemoryStore
from openresponses_grpc.v1.common_pb2 import Unrecognized
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc.v1.response_events_pb2 import OpenResponsesErrorEvent

from .languages import built

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

TEXT = (
    '\ufeff{"type":"a","text":"\u2028\u2029\x85\ufeff😀"}\r\n'  # only LF ends a line; U+0085 is NEL
    "\n \t\r\n\r\n\x0b\x0c\n"
    '{"type":"b",\r"c":1}\n'
    '{"type":"c"}\r\n'
    '{"type":"d"}'
).encode()
CHUNKED = [
    [TEXT],
    [TEXT[index : index + 1] for index in range(len(TEXT))],
    *([TEXT[:index], TEXT[index:]] for index in range(1, len(TEXT))),
]


def read_by_python(chunks: list[bytes]) -> list[str]:
    reader = FORMATS["ndjson"].reader(json_to_protobuf)
    events = [event for chunk in chunks for event in reader.feed(chunk)] + list(reader.close())
    return [protobuf_to_json(event).decode() for event in events]


@pytest.mark.parametrize("version", ["20", "24"])
def test_splits_lines_like_python_at_any_chunk_boundary(version: str) -> None:
    folder = built("typescript").folder
    program = shutil.copy(__file__.replace("test_typescript_lines.py", "lines.mjs"), folder / "build")
    inputs = "\n".join(json.dumps([chunk.hex() for chunk in chunks]) for chunks in CHUNKED)
    command = ["npx", "--yes", f"node@{version}", program]
    ran = subprocess.run(command, cwd=folder, input=inputs, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    for chunks, line in zip(CHUNKED, ran.stdout.split("\n")[:-1], strict=True):
        assert json.loads(line) == read_by_python(chunks)
    assert len(read_by_python([TEXT])) == 4


SPREAD = '{"type":"new",\r\n\n"text":\t"\u2028\x85",\r"list":[1,\n2]}'


def sse(text: str) -> bytes:
    """A server-sent event with a `data:` line for each line of the text."""
    return b"".join(f"data: {line}\n".encode() for line in text.split("\n")) + b"\n"


@pytest.mark.parametrize(
    "event",
    [
        OpenResponsesStreamEvent(unrecognized=Unrecognized(type="new", json=SPREAD)).SerializeToString(),
        OpenResponsesStreamEvent(error=OpenResponsesErrorEvent(extra_json='{"a":\r\n[1,\n2]}')).SerializeToString(),
        *FORMATS["sse"].reader(json_to_protobuf).feed(sse('{"type":"error",\n"a":[1,\n2]}')),
        *FORMATS["sse"].reader(json_to_protobuf).feed(sse('{"type":"new",\n"a":[1,\n2]}')),
    ],
)
async def test_prints_multiline_json_on_one_line(event: bytes) -> None:
    store = MemoryStore()
    await store.append(Append("s", [event], end_of_stream=True))
    async with (
        running_server(StreamService(store), "127.0.0.1:0", grace=1) as server,
        built("typescript").started("subscribe", "--events", server, "s") as subscriber,
    ):
        stdout, stderr = await subscriber.communicate()
    assert subscriber.returncode == 0, stderr
    (line,) = stdout.removesuffix(b"\n").split(b"\n")
    assert json.loads(line) == json.loads(protobuf_to_json(event))
