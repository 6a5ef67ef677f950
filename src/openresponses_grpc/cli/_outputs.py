"""The output of `convert`: a file appears whole or not at all."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from ._common import fail


@contextmanager
def output_to(path: str, source: BinaryIO) -> Iterator[BinaryIO]:
    """What is written goes to standard output or a device at once, to a file when it is whole.

    A link stays, and the file that it leads to is replaced. INPUT is never replaced.
    """
    if path == "-":
        try:
            yield sys.stdout.buffer
        finally:
            sys.stdout.buffer.flush()
        return
    target = Path(path)
    if target.exists() and not target.is_file():
        with target.open("wb") as device:
            yield device
        return
    if target.exists():
        if os.path.samestat(os.fstat(source.fileno()), target.stat()):
            raise click.UsageError("INPUT and OUTPUT are the same file")
        if not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    with _replacing(target.resolve()) as file:
        yield file


def not_to_a_terminal(target: str) -> None:
    """Raises a usage error where standard output is a terminal and would get binary data."""
    if target == "protobuf" and sys.stdout.isatty():
        raise click.UsageError("protobuf is not written to a terminal: redirect it to a file, or use --to ndjson")


@contextmanager
def _replacing(target: Path) -> Iterator[BinaryIO]:
    """A file beside the target, which takes its place."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(target)) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        Path(name).chmod(_mode(target))
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink()
        raise


def _mode(target: Path) -> int:
    """The permissions of the file that is replaced, or those of a new one."""
    if target.exists():
        return target.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


@contextmanager
def file_faults() -> Iterator[None]:
    """Ends the command with status 1 and one line where a file cannot be read or written, such as on a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise  # nobody reads the output any more, which is no fault
        # What standard output still holds cannot be written when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        where = f" {error.filename}" if error.filename else ""
        fail(f"cannot read or write{where}: {error.strerror}")
