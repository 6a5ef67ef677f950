"""Runs the command in this process, which takes a fraction of the time of `processes`."""

import asyncio
import io
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from click.testing import CliRunner

from openresponses_grpc.cli import main

_lock = threading.Lock()


class _Stdin(io.BytesIO):
    name = "<stdin>"


def invoke(*arguments: str | Path, stdin: bytes = b"", environment: Mapping[str, str] = {}) -> tuple[int, bytes, bytes]:
    """Returns the exit status, standard output and standard error of the command. Its exceptions are raised.

    It runs in this thread. Reading a file requires the main thread.
    """
    assert _lock.acquire(blocking=False), "the standard streams are replaced: run one command at a time"
    try:
        with _fresh_logging():
            result = CliRunner().invoke(
                main,
                [str(argument) for argument in arguments],
                input=_Stdin(stdin),
                # The command sets this variable; the runner restores what it was.
                env={"GRPC_VERBOSITY": "NONE", **environment},
                prog_name="openresponses",
                catch_exceptions=False,
            )
    finally:
        _lock.release()
    return result.exit_code, result.stdout_bytes, result.stderr_bytes


async def run(
    *arguments: str | Path, stdin: bytes = b"", environment: Mapping[str, str] = {}
) -> tuple[int, bytes, bytes]:
    """Returns the same for the command in another thread, while the event loop serves it."""
    return await asyncio.to_thread(invoke, *arguments, stdin=stdin, environment=environment)


@contextmanager
def _fresh_logging() -> Iterator[None]:
    """Lets the command set up its log, as a process does."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    root.handlers = []
    try:
        yield
    finally:
        root.handlers = handlers
        root.setLevel(level)
