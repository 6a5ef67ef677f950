"""The documents name tests that exist, and their Python examples run, twice each."""

import asyncio
import re
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from openresponses_grpc import AsyncEventStreamClient, json_to_protobuf

TESTS = Path(__file__).parent
DOCUMENTS = [TESTS.parent / "README.md", *sorted((TESTS.parent / "docs").rglob("*.md"))]
EXAMPLES = [
    pytest.param(example, id=f"{document.relative_to(TESTS.parent)} {number}")
    for document in DOCUMENTS
    if document.name != "http.md"  # its examples need a gateway and SDKs: tests/interop/http/test_documents.py
    for number, example in enumerate(re.findall(r"```python\n(.*?)```", document.read_text(), re.DOTALL))
]


@pytest.mark.parametrize("document", ["promises.md", "security.md"])
def test_every_promise_names_tests_that_exist(document: str) -> None:
    rows: list[str] = []
    held = False
    for line in (TESTS.parent / "docs" / document).read_text().splitlines():
        held = line.startswith("| ") and (held or "held by" in line)
        if held and "held by" not in line and "---" not in line and not line.endswith("| the same |"):
            rows.append(line)
    named = [re.findall(r"`([\w/]+\.py)::(\w+)`", row) for row in rows]
    assert len(named) > 10
    for row in named:
        assert row
        for path, name in row:
            assert re.search(rf"^(async )?def {name}\(", (TESTS / path).read_text(), re.MULTILINE), f"{path}::{name}"


@pytest.fixture
async def with_sample(server: str) -> str:
    """A server that has the sample as `resp_1`."""
    async with AsyncEventStreamClient(server) as client, client.publish("resp_1") as publisher:
        for line in (TESTS.parent / "examples/response.ndjson").read_bytes().splitlines():
            await publisher.send(json_to_protobuf(line))
    return server


@pytest.mark.parametrize("example", EXAMPLES)
async def test_an_example_in_python_runs_twice(with_sample: str, example: str) -> None:
    code = example.replace("127.0.0.1:50051", with_sample)
    for _ in range(2):
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=PIPE, stderr=PIPE)
        _, stderr = await process.communicate()
        assert (process.returncode, stderr.decode()) == (0, "")
