"""`openresponses convert`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import BinaryIO

import click

from ..codec._schema import Naming
from ._common import (
    NO_EVENT,
    NO_TERMINAL_EVENT,
    LeftOut,
    chunks,
    fail,
    faults,
    format_choice,
    naming_option,
    on_error_option,
    reader_of,
    strict_option,
    writer_of,
)
from ._inputs import Seen, format_by_name, format_of
from ._option import option
from ._outputs import file_faults, not_to_a_terminal, output_to
from ._statuses import ListsStatuses


@click.command(cls=ListsStatuses, short_help="Convert a stream of events to another format.")
@option(
    "--from",
    "source",
    type=format_choice,
    help="The format of INPUT.  [default: that of its ending, else of its first bytes]",
)
@option(
    "--to",
    "target",
    type=format_choice,
    help="The format of OUTPUT.  [default: that of its ending, else protobuf, or ndjson from protobuf]",
)
@naming_option
@strict_option
@on_error_option
@click.argument("input", type=click.File("rb"), default="-")
@click.argument("output", type=click.Path(dir_okay=False, allow_dash=True), default="-")
def convert(
    source: str | None,
    target: str | None,
    naming: Naming | None,
    strict: bool,
    on_error: str,
    input: BinaryIO,
    output: str,
) -> None:
    """Convert a stream of events from one format to another.

    INPUT and OUTPUT are files; - or nothing is standard input and standard output. JSON is read in either spelling. At
    the first invalid event the command stops with status 1 and says where. The events before it are written to standard
    output; a file OUTPUT is written when the conversion is complete, and stays what it was otherwise.

    SSE without a terminal event is cut off: the status is 1. A terminal event is response.completed, response.failed,
    response.incomplete, error, or [DONE]. SSE that is written has [DONE] only after one.

    \b
    Endings of files:
      .ndjson .jsonl    ndjson
      .sse              sse
      .binpb .pb .bin   protobuf

    \b
    Examples:
      openresponses convert events.ndjson events.binpb
      openresponses convert events.binpb | head
    """
    with file_faults(), _progress(input) as advance, closing(chunks(input, advance)) as raw:
        source, data = format_of(source, input.name if isinstance(input.name, str) else "", raw)
        target = target or format_by_name(output) or ("ndjson" if source == "protobuf" else "protobuf")
        if output == "-":
            not_to_a_terminal(target)
        reader, writer, seen = reader_of(source, strict), writer_of(target, naming), Seen()
        left_out = LeftOut(reader)
        reader.on_error = left_out if on_error == "skip" else None
        with faults(reader), output_to(output, input) as file:
            for chunk in data:
                file.writelines(writer.write(seen.watch(reader.feed(chunk))))
            file.writelines(writer.write(seen.watch(reader.close())))
            if seen.terminal or reader.done or target != "sse":
                file.write(writer.close())
    left_out.report()
    if source == "sse" and not (seen.terminal or reader.done):
        fail(NO_TERMINAL_EVENT if seen.events else NO_EVENT)


@contextmanager
def _progress(file: BinaryIO) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error where a person sees it and the end is known."""
    size = os.fstat(file.fileno()).st_size if file is not sys.stdin.buffer else 0
    if size and sys.stderr.isatty():
        with click.progressbar(length=size, label="Converting", file=sys.stderr) as bar:
            yield bar.update
    else:
        yield lambda _: None
