"""The output of `convert`. Files are replaced atomically."""

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
    """Opens the output. Standard output and devices are written directly; a file is replaced after a successful exit.

    A symbolic link is kept, and its target is replaced. INPUT is never replaced.

    Args:
        path: the file, or - for standard output.
        source: the input file.

    Yields:
        The file to write to.

    Raises:
        click.UsageError: the output is the input file.
        OSError: the file cannot be written.

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


def refuse_binary_on_terminal(target: str) -> None:
    """Raises click.UsageError if the format is binary and standard output is a terminal."""
    if target == "protobuf" and sys.stdout.isatty():
        raise click.UsageError("cannot write protobuf to a terminal: redirect the output to a file, or use --to ndjson")


@contextmanager
def _replacing(target: Path) -> Iterator[BinaryIO]:
    """Yields a temporary file in the same directory, which then replaces the target."""
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
    """Returns the permissions of the existing file, or those of a new file."""
    if target.exists():
        return target.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


@contextmanager
def exit_on_file_error() -> Iterator[None]:
    """Exits with status 1 and a one-line message if a file cannot be read or written, such as on a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise  # the reader of the output closed the pipe, which is not an error
        # Discard the buffer of standard output: flushing it at exit would fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        where = f" {error.filename}" if error.filename else ""
        fail(f"cannot read or write{where}: {error.strerror}")
