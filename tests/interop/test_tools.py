"""Common gRPC tools, with the exact commands of docs/languages.md."""

import asyncio
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from ..faults.processes import Restartable
from ..faults.processes import server as server_over
from .languages import needs

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]  # the tools are built first

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "build" / "tools"
INSTALLED, REFLECTED, DESCRIBED = (
    block.splitlines()
    for block in re.findall(
        r"^```\n(.*?)^```", (ROOT / "docs/languages.md").read_text().split("\n## Tools\n")[1], re.MULTILINE | re.DOTALL
    )
)

EVENTS = (
    r'(?s)"outputTextDelta": \{\s+"itemId": "msg_1",\s+"delta": "Hello"\s+\}'
    r'.*"completed": \{\s+"response": \{\s+"usage": \{\s+"inputTokens": 8,\s+"outputTokens": 1\s+\}'
)

# Patterns of the output of each command, in the order of the document.
OF_REFLECTED = [
    r"grpc\.health\.v1\.Health\n.*\nopenresponses_grpc\.v1\.OpenResponsesStreamService\n",
    r'"nextOffset": "2"',
    EVENTS,
    EVENTS,
    r"\[OK\] +200 responses",
]
OF_DESCRIBED = [r'"epoch": "\d+"', r'"endOfStream": true', r"\[OK\] +200 responses", "status: SERVING"]


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """Installs the tools and builds the descriptor set; returns an environment with the tools on the PATH."""
    needs("go", "npx", "make")
    environment = {**os.environ, "GOBIN": str(TOOLS), "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}"}
    for command in *INSTALLED, "make descriptors":
        subprocess.run(shlex.split(command), cwd=ROOT, env=environment, check=True, capture_output=True)
    return environment


async def printed(command: str, server: Restartable, environment: dict[str, str]) -> str:
    """The output of a command that exits with status 0."""
    words = [word.replace("127.0.0.1:50051", server.address) for word in shlex.split(command)]
    process = await asyncio.create_subprocess_exec(
        *words, cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    stdout, _ = await process.communicate()
    assert process.returncode == 0, stdout.decode()
    return stdout.decode()


@pytest.mark.parametrize(
    "options, commands, expected",
    [
        pytest.param(["--reflection"], REFLECTED, OF_REFLECTED, id="reflection"),
        pytest.param([], DESCRIBED, OF_DESCRIBED, id="descriptors"),
    ],
)
async def test_documented_commands_work(
    options: list[str], commands: list[str], expected: list[str], environment: dict[str, str]
) -> None:
    async with server_over("memory:", *options) as server:
        for command, pattern in zip(commands, expected, strict=True):
            assert re.search(pattern, await printed(command, server, environment)), command
