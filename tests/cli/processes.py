"""Runs the command as a process."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

COMMAND = Path(sys.executable).with_name("openresponses")


@asynccontextmanager
async def started(*arguments: str | Path, environment: Mapping[str, str] = {}) -> AsyncIterator[Process]:
    """A process that does not outlive the test."""
    process = await asyncio.create_subprocess_exec(
        COMMAND, *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE, env={**os.environ, **environment}
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def run_process(
    *arguments: str | Path, stdin: bytes = b"", environment: Mapping[str, str] = {}
) -> tuple[int, bytes, bytes]:
    """Returns the exit status, standard output and standard error of the command as a process."""
    async with started(*arguments, environment=environment) as process:
        return await _outcome(process, stdin)


async def run_shell(command: str, stdin: bytes) -> tuple[int, bytes, bytes]:
    """Returns the same for a line of the shell."""
    return await _outcome(await asyncio.create_subprocess_shell(command, stdin=PIPE, stdout=PIPE, stderr=PIPE), stdin)


async def _outcome(process: Process, stdin: bytes) -> tuple[int, bytes, bytes]:
    stdout, stderr = await process.communicate(stdin)
    return await process.wait(), stdout, stderr


async def line(process: Process) -> bytes:
    """Returns the next line that a process prints. If it ends instead, the assertion shows its errors."""
    assert process.stdout is not None
    printed = await process.stdout.readline()
    assert printed, process.stderr and await process.stderr.read()
    return printed


@asynccontextmanager
async def serving(*arguments: str | Path) -> AsyncIterator[tuple[Process, str]]:
    """A server process and its address, by default a free port of the loopback."""
    async with started("serve", "--listen", "127.0.0.1:0", *arguments) as process:
        yield process, (await line(process)).decode().removeprefix("listening on ").strip()
