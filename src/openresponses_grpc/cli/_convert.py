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
    SkippedEvents,
    chunks,
    exit_on_invalid_input,
    fail,
    format_choice,
    make_reader,
    make_writer,
    naming_option,
    on_error_option,
    strict_option,
)
from ._inputs import InputSummary, detect_format, format_from_suffix
from ._options import option
from ._outputs import exit_on_file_error, output_to, refuse_binary_on_terminal
from ._statuses import ExitStatusHelp


@click.command(cls=ExitStatusHelp, short_help="Convert an event stream to another format.")
@option(
    "--from",
    "source",
    type=format_choice,
    help="Format of INPUT.  [default: from its suffix, or detected from its first bytes]",
)
@option(
    "--to",
    "target",
    type=format_choice,
    help="Format of OUTPUT.  [default: from its suffix, or protobuf; ndjson for protobuf input]",
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
    """Convert an event stream from one format to another.

    INPUT and OUTPUT are files. The default, -, is standard input and standard output. JSON input may use either
    spelling of properties. At the first invalid event, the command prints its location and exits with status 1. The
    events before it are written to standard output. An OUTPUT file is replaced only after all input was valid.

    SSE input without a terminal event is truncated: the exit status is 1. Terminal events are response.completed,
    response.failed, response.incomplete, error, and [DONE]. SSE output ends with [DONE] only after a terminal event.

    \b
    File suffixes:
      .ndjson .jsonl    ndjson
      .sse              sse
      .binpb .pb .bin   protobuf

    \b
    Examples:
      openresponses convert events.ndjson events.binpb
      openresponses convert events.binpb | head
    """
    with exit_on_file_error(), _progress(input) as advance, closing(chunks(input, advance)) as raw:
        name = input.name if isinstance(input.name, str) else ""
        source, data = detect_format(source, name, raw)
        target = target or format_from_suffix(output) or ("ndjson" if source == "protobuf" else "protobuf")
        if output == "-":
            refuse_binary_on_terminal(target)
        reader, writer, summary = make_reader(source, strict), make_writer(target, naming), InputSummary()
        skipped = SkippedEvents(reader)
        reader.on_error = skipped if on_error == "skip" else None
        with exit_on_invalid_input(reader), output_to(output, input) as file:
            for chunk in data:
                file.writelines(writer.write(summary.watch(reader.feed(chunk))))
            file.writelines(writer.write(summary.watch(reader.close())))
            if summary.terminal or reader.done or target != "sse":
                file.write(writer.close())
    skipped.report()
    if source == "sse" and not (summary.terminal or reader.done):
        fail(NO_TERMINAL_EVENT if summary.events else NO_EVENT)


@contextmanager
def _progress(file: BinaryIO) -> Iterator[Callable[[int], None]]:
    """Shows a progress bar if standard error is a terminal and the size of the file is known."""
    size = os.fstat(file.fileno()).st_size if file is not sys.stdin.buffer else 0
    if size and sys.stderr.isatty():
        with click.progressbar(length=size, label="Converting", file=sys.stderr) as bar:
            yield bar.update
    else:
        yield lambda _: None
