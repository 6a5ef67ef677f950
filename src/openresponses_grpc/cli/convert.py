"""`openresponses convert`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

import click

from ..codec.schema import Naming
from .common import chunks, faults, format_choice, naming_option, reader_of, strict_option, writer_of


@click.command(short_help="Convert a stream of events to another format.")
@click.option("--from", "source", type=format_choice, default="ndjson", show_default=True, help="The format of INPUT.")
@click.option(
    "--to", "target", type=format_choice, help="The format of OUTPUT.  [default: protobuf, or ndjson from protobuf]"
)
@naming_option
@strict_option
@click.argument("input", type=click.File("rb"), default="-")
@click.argument("output", type=click.File("wb"), default="-")
def convert(
    source: str, target: str | None, naming: Naming | None, strict: bool, input: BinaryIO, output: BinaryIO
) -> None:
    """Convert a stream of events from one format to another.

    INPUT and OUTPUT are files; - or nothing is standard input and standard output. JSON is read in either spelling. At
    the first invalid event the command stops with status 1 and says where. The events before it are written.

    \b
    Examples:
      openresponses convert events.ndjson events.binpb
      openresponses convert --from protobuf events.binpb | head
    """
    target = target or ("ndjson" if source == "protobuf" else "protobuf")
    reader, writer = reader_of(source, strict), writer_of(target, naming)
    with faults(reader), _progress(input) as advance:
        try:
            for chunk in chunks(input, advance):
                output.writelines(writer.write(reader.feed(chunk)))
            output.writelines(writer.write(reader.close()))
            output.write(writer.close())
        finally:
            output.flush()


@contextmanager
def _progress(file: BinaryIO) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error where a person sees it and the end is known."""
    size = os.fstat(file.fileno()).st_size if file is not sys.stdin.buffer else 0
    if size and sys.stderr.isatty():
        with click.progressbar(length=size, label="Converting", file=sys.stderr) as bar:
            yield bar.update
    else:
        yield lambda _: None
