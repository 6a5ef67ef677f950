"""Documents name existing tests, and their examples run twice."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from openresponses_grpc import AsyncEventStreamClient, json_to_protobuf

from .faults.processes import free_port

TESTS = Path(__file__).parent
DOCUMENTS = [TESTS.parent / "README.md", *sorted((TESTS.parent / "docs").rglob("*.md"))]
EXAMPLES = [
    pytest.param(example, id=f"{document.relative_to(TESTS.parent)} {number}")
    for document in DOCUMENTS
    if document.name != "http.md"  # its examples require a gateway and SDKs: tests/interop/http/test_documents.py
    for number, example in enumerate(re.findall(r"```python\n(.*?)```", document.read_text(), re.DOTALL))
]


@pytest.mark.parametrize("document", ["promises.md", "security.md"])
def test_promises_name_existing_tests(document: str) -> None:
    rows: list[str] = []
    held = False
    for line in (TESTS.parent / "docs" / document).read_text().splitlines():
        held = line.startswith("| ") and (held or "verified by" in line)
        if held and "verified by" not in line and "---" not in line and not line.endswith("| the same |"):
            rows.append(line)
    named = [re.findall(r"`([\w/]+\.py)::(\w+)`", row) for row in rows]
    assert len(named) > 10
    for row in named:
        assert row
        for path, name in row:
            assert re.search(rf"^(async )?def {name}\(", (TESTS / path).read_text(), re.MULTILINE), f"{path}::{name}"


@pytest.fixture
async def server_with_sample(server: str) -> str:
    """A server with the sample as `resp_1`."""
    async with AsyncEventStreamClient(server) as client, client.publish("resp_1") as publisher:
        for line in (TESTS.parent / "examples/response.ndjson").read_bytes().splitlines():
            await publisher.send(json_to_protobuf(line))
    return server


@pytest.mark.parametrize("example", EXAMPLES)
async def test_python_example_runs_twice(server_with_sample: str, example: str) -> None:
    code = example.replace("127.0.0.1:50051", server_with_sample)
    for _ in range(2):
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=PIPE, stderr=PIPE)
        _, stderr = await process.communicate()
        assert (process.returncode, stderr.decode()) == (0, "")


async def run_in_bash(script: str, folder: Path) -> str:
    """Runs commands of a document with a free port instead of 50051; returns their output."""
    (folder / "examples").symlink_to(TESTS.parent / "examples")
    address = f"127.0.0.1:{free_port()}"
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "OPENRESPONSES_LISTEN": address,
        "OPENRESPONSES_SERVER": address,
        "OPENRESPONSES_WAIT": "1",
    }
    script = script.replace(".venv/bin/", "").replace("localhost:50051", address.replace("127.0.0.1", "localhost"))
    process = await asyncio.create_subprocess_exec(
        "bash", "-ec", script, cwd=folder, env=environment, stdout=PIPE, stderr=PIPE, start_new_session=True
    )
    try:
        stdout, stderr = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # background jobs of a failed script
    assert process.returncode == 0, stderr.decode()
    return stdout.decode()


@pytest.mark.parametrize("run", [1, 2])
async def test_readme_sixty_seconds(run: int, tmp_path: Path) -> None:
    section = (TESTS.parent / "README.md").read_text().split("\n## Sixty seconds\n")[1]
    script, expected = re.findall(r"^```(?:sh)?\n(.*?)^```", section, re.MULTILINE | re.DOTALL)[:2]
    printed = await run_in_bash(script, tmp_path)
    assert expected.removesuffix("…\n") in printed


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
async def test_tls_and_token_commands(tmp_path: Path) -> None:
    section = (TESTS.parent / "docs/operations.md").read_text().split("\n## TLS and tokens\n")[1]
    serve, use = re.findall(r"^```\n(.*?)^```", section, re.MULTILINE | re.DOTALL)[:2]
    printed = await run_in_bash(f"{serve.rstrip()} &\n{use}kill %1\n", tmp_path)
    events = [line for line in printed.splitlines() if line.startswith("{")]
    assert len(events) == len((TESTS.parent / "examples/response.ndjson").read_bytes().splitlines())
