"""Builds examples/typescript, and runs its programs."""

import asyncio
import os
import shutil
import subprocess
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "typescript"


def build() -> None:
    """Installs what the example needs and compiles it, or skips the test where that cannot be; in CI it can be."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            cannot_build(f"there is no {tool} on the PATH")
    installation = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1")
    installed = subprocess.run(installation, cwd=EXAMPLE, capture_output=True, text=True, check=False)
    if installed.returncode:
        cannot_build(f"{' '.join(installation)} failed: {' '.join(installed.stderr.split())[-300:]}")
    compiled = subprocess.run(
        (EXAMPLE / "node_modules" / ".bin" / "tsc",), cwd=EXAMPLE, capture_output=True, text=True, check=False
    )
    assert compiled.returncode == 0, compiled.stdout


def cannot_build(reason: str) -> NoReturn:
    """Skips the test with the reason, except where it must run."""
    if os.environ.get("CI"):
        pytest.fail(f"no TypeScript: {reason}")
    pytest.skip(f"no TypeScript: {reason}")


@asynccontextmanager
async def started(program: str, address: str, stream_id: str) -> AsyncIterator[Process]:
    """A program of the example that does not outlive the test."""
    process = await asyncio.create_subprocess_exec(
        "node", EXAMPLE / "build" / program, address, stream_id, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
